"""Bytes to text: UTF-8 without a byte order mark and without invisible characters.

Line separators that YAML 1.1 took for line ends and YAML 1.2 does not are refused too, so that everybody
counts the same lines. Pure.
"""

from __future__ import annotations

import re

from flows.errors import Problem

FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def decode(text: bytes | str, file: str) -> str | Problem:
    """The text, if all of it may stand in a YAML file."""
    decoded = _as_utf8(text, file)
    if isinstance(decoded, Problem):
        return decoded
    bad = FORBIDDEN.search(decoded)
    return decoded if bad is None else _forbidden(decoded, bad.start(), file)


def _as_utf8(text: bytes | str, file: str) -> str | Problem:
    if isinstance(text, str):
        return text if not text.startswith("\ufeff") else _byte_order_mark(file)
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem(file, 1, 1, "", "the file is UTF-16, not UTF-8", "Save it as UTF-8.")
    if text.startswith(b"\xef\xbb\xbf"):
        return _byte_order_mark(file)
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        before = text[: error.start].decode()
        line, column = _position(before, len(before))
        message = f"the byte 0x{text[error.start]:02x} is not UTF-8"
        return Problem(file, line, column, "", message, "Save the file as UTF-8.")


def _byte_order_mark(file: str) -> Problem:
    message = "the file begins with a byte order mark"
    return Problem(file, 1, 1, "", message, 'Save it as "UTF-8", not as "UTF-8 with BOM".')


def _forbidden(text: str, index: int, file: str) -> Problem:
    line, column = _position(text, index)
    message = f"an invisible control character (U+{ord(text[index]):04X}), which YAML does not allow"
    return Problem(file, line, column, "", message, "Delete it; it often comes along with a copied text.")


def _position(text: str, index: int) -> tuple[int, int]:
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
