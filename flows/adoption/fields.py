"""From what somebody's script wrote to a `Record`: many spellings of a key, several of a value. Pure.

Unknown keys are passed over, empty values are values that were not given. A value that is there and cannot be read
leaves its record out until it is mended: what is filed wrongly stays so for good.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.adoption.record import Place, Record
from flows.errors import Problem
from flows.ideogram.catalogue import CATALOGUE
from flows.ids import time_of
from flows.manifest.names import parse_ratio, parse_size

# What each is called, as compared by `_plain`: the first is how it is called in complaints.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "imageid", "uuid", "generationid", "responseid", "name"),
    "prompt": ("prompt", "textprompt", "originalprompt", "description", "promptused"),
    "final_prompt": ("finalprompt", "magicprompt", "magicpromptused", "revisedprompt", "enhancedprompt"),
    "negative_prompt": ("negativeprompt", "negprompt", "negative"),
    "model": ("model", "modelversion", "modelname", "modeluri"),
    "aspect_ratio": ("aspectratio", "aspect", "ratio"),
    "resolution": ("resolution", "size", "dimensions", "imagesize"),
    "seed": ("seed",),
    "path": ("localpath", "path", "file", "filename", "filepath", "localfile", "imagepath", "savedto"),
    "url": ("imageurl", "url", "link", "downloadurl"),
    "generated_at": ("generatedat", "createdat", "created", "timestamp", "date", "generated", "creationtime"),
    "expires_at": ("expiresat", "urlexpiresat", "expires", "expiry", "expiration", "imageurlexpiresat"),
    "is_image_safe": ("isimagesafe", "issafe"),
    "brand": ("brand",),
    "campaign": ("campaign",),
    "tags": ("tags", "labels", "keywords"),
    "sha256": ("sha256", "digest"),
    "fingerprint": ("fingerprint",),
    "origin": ("origin",),
    "variant": ("variant", "promptid"),
}
_KEYS = {spelling: name for name, spellings in SPELLINGS.items() for spelling in spellings}
# `magic_prompt` may be the switch or the text it made; the switch has one of these values.
_SWITCH = frozenset({"auto", "on", "off", "true", "false"})
# Options of any model; names that ours are called already are told by their key.
_OPTIONS = {
    option.name.replace("_", ""): option.name
    for endpoint in CATALOGUE.values()
    for option in endpoint.options
    if option.name not in {"aspect_ratio", "resolution", "size", "negative_prompt"}
}
# Either of the two: which one, the value says.
_PLACES = frozenset({"image", "src", *SPELLINGS["path"], *SPELLINGS["url"]})
# Records that hold the picture's own in a part of their own: ours, and what an API answered.
_NESTED = ("image", "metadata", "params", "parameters", "request", "image_request", "options", "settings")
_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[0-9]{9,14}(?:\.[0-9]+)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_fields(raw: Mapping[str, Any], place: Place, now: datetime) -> tuple[Record, tuple[Problem, ...]]:
    """The record, as far as it can be read, and everything that is wrong with it."""
    found: dict[str, Any] = {}
    options: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in _flat(raw):
        plain = _plain(key)
        if plain in _PLACES and isinstance(value, str):
            plain = "url" if value.strip().lower().startswith(("http://", "https://")) else "path"
        if plain == "magicprompt" and str(value).strip().lower() in _SWITCH:
            options.setdefault("magic_prompt", value)
        elif plain in _KEYS:
            name = _KEYS[plain]
            if name in found:
                continue
            reader: Callable[[Any, datetime], Any] = _READERS.get(name, _text)
            try:
                found[name] = reader(value, now)
            except ValueError as error:
                message, _, hint = str(error).partition("|")
                problems.append(place.problem(key, message, hint or "Mend it, or remove it."))
                found[name] = None
        elif plain in _OPTIONS:
            options.setdefault(_OPTIONS[plain], value)
    if "resolution" in found and found["resolution"] is None:
        del found["resolution"]
    if "generated_at" not in found and (made := _time_in(found.get("id"))):
        found["generated_at"] = made
    return Record(place, options=options, **{name: value for name, value in found.items() if value is not None}), tuple(
        problems
    )


def _time_in(name: str | None) -> datetime | None:
    """When a picture of ours was asked for: its id begins with a UUIDv7."""
    if not re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?:-[0-9]+)?", name or ""):
        return None
    return time_of((name or "")[:36])


def _flat(raw: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Keys and values that say something, those of nested parts after their own."""
    later: list[Mapping[str, Any]] = []
    for key, value in raw.items():
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if isinstance(value, Mapping):
            if depth < 3 and key in _NESTED:
                later.append(value)
            elif _plain(key) == "prompt":
                yield key, json.dumps(value, ensure_ascii=False)
            continue
        yield key, value
    for part in later:
        yield from _flat(part, depth + 1)


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _text(value: Any, _: datetime) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"must be a text, not {type(value).__name__}")  # noqa: TRY004  a slip of a file's author
    return str(value).strip()


def _seed(value: Any, _: datetime) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,18}(?:\.0+)?", text):
        raise ValueError(f'"{text[:40]}" is no seed|Write a whole number, or remove it.')
    return int(text.partition(".")[0])


def _flag(value: Any, _: datetime) -> bool | None:
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(str(value).lower())


def _tags(value: Any, _: datetime) -> tuple[str, ...]:
    words = re.split(r"[,;]", value) if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("must be a list of texts|Write a list, or words parted by commas.")
    return tuple(word.strip() for word in words if word.strip())


def _ratio(value: Any, _: datetime) -> str:
    shape = parse_ratio(str(value))
    if shape is None:
        raise ValueError(f'"{str(value)[:40]}" is no aspect ratio|Write it as 16:9, or remove it.')
    return f"{shape[0]}:{shape[1]}"


def _resolution(value: Any, _: datetime) -> str | None:
    size = parse_size(str(value))
    return f"{size[0]}x{size[1]}" if size else None  # "1K", "auto": words of other tools, not needed


def _digest(value: Any, _: datetime) -> str | None:
    text = str(value).strip().lower().removeprefix("sha256:")
    return text if _SHA256.fullmatch(text) else None


def _moment(value: Any, now: datetime) -> datetime:
    """ISO 8601 (UTC where no zone is given), or seconds or milliseconds since 1970."""
    text = str(value).strip()
    remedy = "Write it as 2026-03-05T10:15:00Z, or remove it and the file's own time is taken."
    if isinstance(value, bool):
        raise ValueError(f"{text} is no time|{remedy}")  # noqa: TRY004  a slip of a file's author
    try:
        if _NUMBER.fullmatch(text):
            number = float(text)
            moment = datetime.fromtimestamp(number / 1000 if number > 1e11 else number, tz=UTC)
        else:
            moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f'"{text[:40]}" is no time|{remedy}') from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment < _EARLIEST or moment > now + timedelta(days=3660):
        raise ValueError(f"{moment:%Y-%m-%d} cannot be right|{remedy}")
    return moment


def _past(value: Any, now: datetime) -> datetime:
    moment = _moment(value, now)
    if moment > now + timedelta(days=1):
        raise ValueError(f"{moment:%Y-%m-%d %H:%M} UTC has not come yet|Mend it, or remove it.")
    return moment


_READERS: Mapping[str, Callable[[Any, datetime], Any]] = {
    "seed": _seed,
    "is_image_safe": _flag,
    "tags": _tags,
    "aspect_ratio": _ratio,
    "resolution": _resolution,
    "sha256": _digest,
    "fingerprint": _digest,
    "generated_at": _past,
    "expires_at": _moment,
}
