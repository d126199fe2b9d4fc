"""What a single setting must be like, with the remedy where it is not.

Pure, but for the time zones, which are looked up in the system's own database.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError
from pydantic_core import PydanticCustomError

from flows.documents import nearest

SANDBOX = "sandbox"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
# By the end of the name, so that aws_secret_access_key and sas_token are known too, but not key_filename.
_SECRET = re.compile(
    r"(?!.*kms)(?:.*[_-])?(?:key|key_?id|secret|token|password|passwd|pwd|passphrase|credentials?|connection_string)"
)
# Words that some file systems take in place of a token, and that give nothing away.
_NO_TOKEN = frozenset({"anon", "cloud", "browser", "cache", "google_default"})

_LEAP_DAY = datetime(2028, 2, 29, tzinfo=UTC)


def _wrong(message: str, hint: str = "") -> PydanticCustomError:
    # Braces are placeholders to pydantic; what the user wrote goes in as a value.
    return PydanticCustomError("setting", "{words}", {"words": message, "hint": hint})


def is_address(place: str) -> bool:
    """Whether this is a URL such as s3://bucket/folder, and not a path of this machine."""
    return _ADDRESS.match(place) is not None


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url(text: str) -> str:
    """``sandbox`` or an API's address: https, or http on this machine; nothing secret, no trailing slash."""
    if text == SANDBOX:
        return text
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        raise _wrong("is not a usable address", "Write `sandbox` or https://api.ideogram.ai.") from None
    if url.scheme not in {"http", "https"} or not host:
        guess = nearest(text, [SANDBOX])
        hint = f"Did you mean `{guess}`?" if guess else "Write `sandbox` or https://api.ideogram.ai."
        raise _wrong("is neither `sandbox` nor an address that begins with https://", hint)
    if url.username is not None or url.password is not None or "@" in url.netloc:
        raise _wrong("holds a user name or password", "The key comes from IDEOGRAM_API_KEY alone.")
    if url.query or url.fragment or re.search(r"[\s\\]", text):
        raise _wrong("has more than a host and a path", "Leave out blanks and everything from ? or # on.")
    if not (_HOST.fullmatch(host) or ":" in host) or port == 0:
        raise _wrong("has no usable host name", "Write it in plain letters, as in https://api.ideogram.ai.")
    if url.scheme == "http" and not is_loopback(host):
        raise _wrong("would send the key unencrypted", "Use https://; http is for this machine alone.")
    return text.rstrip("/")


def host(text: str) -> str:
    """A bare host name, in lower case."""
    name = text.lower().rstrip(".")
    if name.startswith("*."):
        raise _wrong("is a pattern", f"Write `{name[2:]}`: a host covers those below it.")
    if is_address(name) or "/" in name or (":" in name and not _is_ip(name)):
        guess = urlsplit(name if is_address(name) else f"https://{name}").hostname or ""
        raise _wrong("is more than a host name", f"Write `{guess}`." if guess else "")
    if not _HOST.fullmatch(name) and not _is_ip(name):
        raise _wrong("is not a host name", "Write a name such as ideogram.ai.")
    return name


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def location(text: str) -> str:
    """A path or an address without a password and without what only a shell would understand."""
    if not text.strip() or not text.isprintable():
        raise _wrong("is blank, or holds characters that cannot be seen")
    if text.startswith(("~", "$")) or "${" in text:
        hint = "Write the whole path, or one relative to the project's root."
        raise _wrong("is for a shell to fill in, and no shell reads this", hint)
    if _has_password(text):
        raise _wrong("holds a password", "Secrets come from the environment or the cloud's own profile.")
    return text


def _has_password(text: str) -> bool:
    """``user@host`` is fine for SFTP, ``container@account`` for Azure; a colon before the @ is not."""
    authority = text.split("://", 1)[1].partition("/")[0] if is_address(text) else ""
    return ":" in authority.rpartition("@")[0]


def without_secrets(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options of a file system without anything that opens a door."""
    found = sorted(_secrets(options, ""))
    if found:
        raise _wrong(
            f"{', '.join(found)}: a secret does not belong in settings",
            "Let the environment give it (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), or name a profile: "
            "{profile: brand}.",
        )
    return options


def _secrets(value: Any, path: str) -> list[str]:
    """The dotted paths of what looks like a secret."""
    if isinstance(value, Mapping):
        found = []
        for key, inner in value.items():
            name = f"{path}.{key}" if path else str(key)
            secret = _SECRET.fullmatch(str(key).lower()) and not _harmless(inner)
            found += [name] if secret else _secrets(inner, name)
        return found
    if isinstance(value, list):
        return [name for index, inner in enumerate(value) for name in _secrets(inner, f"{path}[{index}]")]
    return [path] if isinstance(value, str) and _has_password(value) else []


def _harmless(value: Any) -> bool:
    return value is None or isinstance(value, bool) or (isinstance(value, str) and value in _NO_TOKEN)


def timezone(name: str) -> str:
    """A time zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        guess = nearest(name, available_timezones())
        hint = f"Did you mean `{guess}`?" if guess else "Write a name such as Europe/Berlin or UTC."
        raise _wrong(f'"{name[:60]}" is not a time zone', hint) from None
    return name


def cron(text: str) -> str:
    """Five fields of cron that come true some day, as every cron understands them.

    Fewer liberties than Prefect takes (no seconds, no ``@daily``, no random hours), so that what passes here it
    takes too; a test compares the two.
    """
    fields = text.split()
    if len(fields) != 5:
        hint = 'Write minute, hour, day, month and weekday, as in "0 6 * * 1-5" (weekdays at six).'
        raise _wrong(f"has {len(fields)} fields where cron has five", hint)
    if "LW" in text.upper():
        raise _wrong("asks for the last weekday of a month (LW), which Prefect does not know", "Use L or a weekday.")
    try:
        next(CronSim(text, _LEAP_DAY))
    except CronSimError as error:
        which = str(error).removeprefix("Bad ")
        raise _wrong(f"is wrong in its {which} field", 'See "0 6 * * 1-5": weekdays at six.') from None
    except StopIteration:
        raise _wrong("names a day that never comes", "No such date is in any calendar.") from None
    return " ".join(fields)


def cron_in_words(text: str) -> str:
    """``At 06:00 on Monday through Friday``."""
    return CronSim(text, _LEAP_DAY).explain()


def cron_after(text: str, now: datetime) -> datetime:
    """When it comes true next, in the time zone of `now`."""
    return next(CronSim(text, now))


def name_template(text: str) -> str:
    """The parts of a name template that hold whatever its fields are; naming itself checks those."""
    if "{image_id}" not in text:
        raise _wrong("does not hold {image_id}", "Without it two pictures could claim one name.")
    if not text.endswith(".{ext}"):
        raise _wrong("does not end in .{ext}", "The ending comes from the picture's own bytes.")
    parts = text.split("/")
    if is_address(text) or text.startswith(("/", "~")) or "\\" in text or {"", ".", ".."} & set(parts):
        raise _wrong("would lead out of storage.assets", "Write a relative path with / between folders.")
    return text
