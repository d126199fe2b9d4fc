"""What an image file is called: a path for people, safe on every file system, from a template and labels.

Pure. The labels come from people and may hold anything; the path never leaves the root, never collides
(the image id is in it, whole) and reads the same on ext4, NTFS, APFS, S3 and SFTP. Letters and digits of
every script are kept, in NFC; all else becomes a separator.
"""

from __future__ import annotations

import hashlib
import re
import string
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches

DEFAULT_TEMPLATE = "{brand}/{campaign}/{prompt_id}/{date}_{variant}_{image_id}.{ext}"

FIELDS = frozenset({"brand", "campaign", "prompt_id", "variant", "model", "date", "month", "image_id", "edition"})

_SEGMENT_BYTES = 120  # with the .json record beside it well below the 255 of ext4 and NTFS, or 143 of eCryptfs
_SEGMENTS = 8  # so that a whole path stays below the 1,024 bytes of an S3 key
_LITERAL_BYTES = 40
_ID_BYTES = 48
_EXTENSION_BYTES = 6  # always held back, so that a picture and the record beside it share their name
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "conin", "conout"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(10)}
)
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0")  # letters by category, blank on every screen


def check_template(template: str) -> None:
    """Raise ValueError, saying what to write instead, if `template` cannot name files safely."""
    if not template.endswith(".{ext}") or template.count("{ext}") != 1:
        raise ValueError("the template must end in .{ext}, and have {ext} only there")
    body = template.removesuffix(".{ext}")
    if body.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", body):
        raise ValueError("the template must be relative to the asset storage: drop what comes before the first folder")
    segments = body.split("/")
    if len(segments) > _SEGMENTS:
        raise ValueError(f"the template has {len(segments)} parts; use at most {_SEGMENTS}")
    if "{image_id}" not in segments[-1]:
        raise ValueError("the template's file name must contain {image_id}, or pictures would overwrite each other")
    if body.count("{image_id}") > 1:
        raise ValueError("the template must contain {image_id} only once")
    for segment in segments:
        _check_segment(segment)


def _check_segment(segment: str) -> None:
    if segment in {"", ".", ".."}:
        raise ValueError(f"the template has an empty or dotted folder {segment!r}; name it, or drop it")
    parts = _parse(segment)
    for literal, field in parts:
        if literal != _keep(literal, "_-."):
            raise ValueError(f"{literal!r} in the template: use only letters, digits, '-', '_' and '.'")
        if field is not None and field not in FIELDS:
            near = get_close_matches(field, FIELDS, 1)
            hint = f"did you mean {{{near[0]}}}?" if near else f"known are {', '.join(sorted(FIELDS))}"
            raise ValueError(f"{{{field}}} in the template is unknown; {hint}")
    literals = "".join(literal for literal, _ in parts)
    if len(literals.encode()) > _LITERAL_BYTES:
        raise ValueError(f"{literals!r} in the template is too long; use at most {_LITERAL_BYTES} bytes per folder")
    if all(field is None for _, field in parts) and not _trim(literals):
        raise ValueError(f"{segment!r} in the template names nothing; use letters or digits")


def _parse(segment: str) -> list[tuple[str, str | None]]:
    try:
        parsed = list(string.Formatter().parse(segment))
    except ValueError as error:
        raise ValueError(f"{segment!r} in the template: {error}; fields are written {{name}}") from None
    for _, field, spec, conversion in parsed:
        if spec or conversion:
            raise ValueError(f"{{{field}...}} in the template: write the bare name, without : or !")
    return [(literal, field) for literal, field, _, _ in parsed]


def asset_path(template: str, fields: Mapping[str, str | None], *, ext: str) -> str:
    """The path, relative to the asset root, with ``/`` between folders.

    A folder all of whose fields are missing or blank vanishes. Raises ValueError for a template that
    `check_template` refuses, an `image_id` that is missing, or an `ext` that is no plain extension.
    """
    check_template(template)
    if not re.fullmatch(r"[a-z0-9]{1,5}", ext):
        raise ValueError(f"{ext!r} is no file extension")
    if not slug(fields.get("image_id") or ""):
        raise ValueError("an image without an id cannot be named")
    *folders, name = template.removesuffix(".{ext}").split("/")
    path = [_segment(folder, fields, _SEGMENT_BYTES) for folder in folders]
    path.append(_segment(name, fields, _SEGMENT_BYTES - _EXTENSION_BYTES) + f".{ext}")
    return "/".join(segment for segment in path if segment)


def slug(value: str) -> str:
    """A label as part of a file name; empty for a blank one.

    >>> slug("hero@language=de,format=story")
    'hero_language-de_format-story'
    """
    text = unicodedata.normalize("NFKC", value).strip()
    kept = _trim(_keep(text.replace("@", "_").replace(",", "_")))
    # A label of nothing but signs or emoji still tells its folder from another's.
    return kept or (f"x{_digest(value)}" if text else "")


def _keep(text: str, also: str = "_-.") -> str:
    """Letters, marks on them, digits and `also`; every other character becomes ``-``."""
    kept: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        letter = (category[0] == "L" or category == "Nd") and character not in _INVISIBLE
        mark = category[0] == "M" and bool(kept) and kept[-1] not in "_-."
        kept.append(character if letter or mark or character in also else "-")
    return "".join(kept)


def _trim(text: str) -> str:
    """One separator at a time, none at the ends: no hidden files, no options, no dots that Windows drops."""
    return unicodedata.normalize("NFC", re.sub(r"([-_.])[-_.]+", r"\1", text)).strip("-_.")


def _segment(template: str, fields: Mapping[str, str | None], limit: int) -> str:
    parts = _parse(template)
    values = {name: slug(fields.get(name) or "") for _, name in parts if name is not None}
    if values and not any(values.values()):
        return ""
    if "image_id" in values:
        values["image_id"] = _cut(values["image_id"], _ID_BYTES)
    names = [name for _, name in parts if name is not None]
    fixed = sum(len(literal.encode()) for literal, _ in parts) + len(values.get("image_id", "").encode())
    shares = _share(limit - 1 - fixed, [len(values[name].encode()) for name in names if name != "image_id"])
    text = ""
    for literal, name in parts:
        text += literal
        if name is not None:
            text += values[name] if name == "image_id" else _cut(values[name], shares.pop(0))
    text = _trim(text)
    # Windows takes "con.png" for the console. The byte for this was held back above.
    return f"_{text}" if text.split(".")[0].lower() in _RESERVED else text


def _share(room: int, lengths: list[int]) -> list[int]:
    """How many bytes each text gets of `room`: what it needs, or else an equal share of what is left."""
    shares = [0] * len(lengths)
    for taken, index in enumerate(sorted(range(len(lengths)), key=lengths.__getitem__)):
        shares[index] = min(lengths[index], max(0, room) // (len(lengths) - taken))
        room -= shares[index]
    return shares


def _cut(text: str, limit: int) -> str:
    """`text` in at most `limit` bytes; with a digest of the whole at its end when that is worth the room."""
    if len(text.encode()) <= limit:
        return text
    tail = f"-{_digest(text)}" if limit >= 16 else ""
    return text.encode()[: limit - len(tail)].decode(errors="ignore") + tail


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
