"""Small JSON documents that carry the SHA-256 of their own content, so that a flipped byte or an edit by hand is found.

``{"sha256":"<64 hexadecimal digits>",`` newline ``"content":<JSON>}`` newline. The digest is over the bytes of <JSON>
as they stand in the file, so that it does not depend on how a library spells JSON.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from claimedits.model.problems import StoreError

_HEAD = b'{"sha256":"'
_NECK = b'",\n"content":'
_FOOT = b"}\n"
_START = len(_HEAD) + 64 + len(_NECK)


def seal(content: Any) -> bytes:
    """The document of ``content``: anything JSON can hold."""
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    return _HEAD + hashlib.sha256(body).hexdigest().encode() + _NECK + body + _FOOT


def read_sealed(path: Path, mend: str) -> Any:
    """The content of a sealed document.

    Raises:
        StoreError: the file is missing or not as it was written; the message names it and ends with ``mend``.
    """
    try:
        document = path.read_bytes()
    except FileNotFoundError as error:
        raise StoreError(f"{path}: missing; {mend}") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); {mend}") from error
    body = document[_START : -len(_FOOT)]
    if document != _HEAD + hashlib.sha256(body).hexdigest().encode() + _NECK + body + _FOOT:
        raise StoreError(f"{path}: damaged, it is not as it was written; {mend}")
    return orjson.loads(body)
