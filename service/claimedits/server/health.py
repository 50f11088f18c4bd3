"""Health as probes ask for it, by service name (grpc.health.v1), with the reason where something is amiss."""

from __future__ import annotations

from urllib.parse import quote

import grpc
from grpc_health.v1 import health, health_pb2

from claimedits.v1 import claim_edit_service_pb2, rule_set_service_pb2

CLAIM_EDITS = claim_edit_service_pb2.DESCRIPTOR.services_by_name["ClaimEditService"]
RULE_SETS = rule_set_service_pb2.DESCRIPTOR.services_by_name["RuleSetService"]

ACTIVE_RELEASE = "active-release"
"""The name under which health tells whether the release that answers is the active one. While a newly activated release
fails to open, this is NOT_SERVING and everything else goes on serving with the last good release."""

PROBLEM_KEY = "claim-edits-problem"
"""Trailing metadata of a health check: why the active release does not answer, percent-encoded UTF-8."""

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_MOST_TEXT = 1000


class Health(health.HealthServicer):
    """NOT_SERVING until a release answers; the rule sets can be read before that."""

    def __init__(self, *, tells_problem: bool = True) -> None:
        """``tells_problem``: anybody may ask for health, and where callers have to be known, the reason is not for anybody."""
        super().__init__(experimental_non_blocking=True)
        self._problem = ""
        self._tells_problem = tells_problem
        self.tell("", "")

    def tell(self, serving_release: str, problem: str) -> None:
        """Take up which release answers (empty = none) and why the active one does not (empty = it does)."""
        self._problem = problem[:_MOST_TEXT]
        for name in ("", CLAIM_EDITS.full_name):
            self.set(name, _SERVING if serving_release else _NOT_SERVING)
        self.set(RULE_SETS.full_name, _SERVING)
        self.set(ACTIVE_RELEASE, _SERVING if serving_release and not problem else _NOT_SERVING)

    def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """The status of a service, and in ``PROBLEM_KEY`` what is amiss."""
        if self._problem and self._tells_problem:
            context.set_trailing_metadata(((PROBLEM_KEY, quote(self._problem, safe=" /:;,'()")),))
        return super().Check(request, context)
