"""Who is calling, and whether that caller may: asked before a message of the call is read.

The caller is known by a bearer token (``authorization: Bearer …``) or by the client certificate that TLS has verified. A
token that is sent counts alone: one that nobody holds is refused, whatever certificate came with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor

from claimedits.app.access import AccessTable, Caller, Role
from claimedits.server.errors import NotAuthenticatedError, RoleRequiredError

ROLE_OF_SERVICE = {"ClaimEditService": Role.EVALUATE, "RuleSetService": Role.READ}
ROLE_OF_METHOD = {"ActivateRelease": Role.ADMINISTRATOR, "RollBackRelease": Role.ADMINISTRATOR}
OPEN_ROLES = frozenset({Role.READ, Role.EVALUATE})
"""What everybody may do while the server has no access table."""

NO_TABLE = (
    "this server has no access table, so it knows no administrator; start it with --access FILE, or run the command "
    "'claim-edits release' where the store is"
)
NO_CREDENTIAL = (
    "this server answers only callers that it knows; send a bearer token in 'authorization', or a client certificate that "
    "its access table names"
)
UNKNOWN_TOKEN = "nobody is known by this token; ask the server's administrator for one, or for a renewed one"
UNREADABLE = "the metadata 'authorization' is no single 'Bearer TOKEN'"
UNKNOWN_CERTIFICATE = "the client certificate is of no caller, or of several, in the server's access table"

_NAMES = ("x509_subject_alternative_name", "x509_common_name")


def role_of(method: MethodDescriptor) -> Role:
    """The role that a call of the contract needs. What this module does not know is the administrator's."""
    by_service = ROLE_OF_SERVICE.get(method.containing_service.name, Role.ADMINISTRATOR)
    return ROLE_OF_METHOD.get(method.name, by_service)


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets callers in. ``table`` gives the access table in force; None = the server has none."""

    table: Callable[[], AccessTable | None]

    def admit(self, context: grpc.ServicerContext, role: Role | None) -> str:
        """The name of the caller, who has the role; None asks only that he is known. Empty = the server knows nobody.

        Raises:
            NotAuthenticatedError: nobody whom the table knows.
            RoleRequiredError: the caller lacks the role; its ``caller`` names him.
        """
        table = self.table()
        if table is None:
            if role is None or role in OPEN_ROLES:
                return ""
            raise RoleRequiredError(role.value, "", NO_TABLE)
        caller = _identify(table, context)
        if role is not None and not caller.may(role):
            held = ", ".join(sorted(granted.value for granted in caller.roles))
            raise RoleRequiredError(
                role.value,
                caller.name,
                f"the call needs the role {role.value}, {caller.name} has {held}; "
                "an operator grants it in the server's access table",
            )
        return caller.name


def _identify(table: AccessTable, context: grpc.ServicerContext) -> Caller:
    sent = [_text(value) for key, value in context.invocation_metadata() or () if key == "authorization"]
    if sent:
        scheme, _, token = sent[0].partition(" ")
        if len(sent) > 1 or scheme.lower() != "bearer" or not token.strip():
            raise NotAuthenticatedError(UNREADABLE)
        caller = table.by_token(token.strip())
        if caller is None:
            raise NotAuthenticatedError(UNKNOWN_TOKEN)
        return caller
    names = list(_certificate_names(context))
    if not names:
        raise NotAuthenticatedError(NO_CREDENTIAL)
    caller = table.by_certificate(names)
    if caller is None:
        raise NotAuthenticatedError(UNKNOWN_CERTIFICATE)
    return caller


def _certificate_names(context: grpc.ServicerContext) -> Iterator[str]:
    """Subject alternative names and the common name of the verified client certificate; none without one."""
    shown: dict[str, Any] = dict(context.auth_context() or {})
    for key in _NAMES:
        for name in shown.get(key, ()):
            yield _text(name)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
