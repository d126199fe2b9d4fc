"""URLs: which ones may be talked to, how long a link lives, and how to print one without its signature.

Pure. A signed link is a bearer secret for a day, so nothing prints one but through `redact`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx

DOCUMENTED_LIFETIME = timedelta(hours=24)
"""How long the vendor says a link works; used when the link itself does not say."""

_URL_IN_TEXT = re.compile(r"https?://[^\s\"'<>\\]+", re.IGNORECASE)
_SIGNATURE_IN_TEXT = re.compile(r"\bsig=[^&\s\"'<>\\]+", re.IGNORECASE)


class LinkRefused(ValueError):
    """This URL is not one we talk to; the message says why, without the URL's secrets."""


def is_loopback(host: str) -> bool:
    """Whether `host` is this very machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_url(url: str) -> httpx.URL:
    """The parsed URL, if it is ``https`` (or ``http`` to loopback) and carries no user name.

    What is returned is what must be requested: checking one parse and sending another is how hosts get
    confused. Raises LinkRefused.
    """
    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, ValueError) as error:
        raise LinkRefused("it is not a URL") from error
    if not host:
        raise LinkRefused("it names no host")
    if parsed.userinfo:
        raise LinkRefused("it carries a user name or password")
    if parsed.scheme == "https" or (parsed.scheme == "http" and is_loopback(host)):
        return parsed
    raise LinkRefused(f"{parsed.scheme}:// is used where only https:// is allowed")


def check_image_link(url: str, *, image_hosts: Sequence[str], base_url: str) -> httpx.URL:
    """The parsed link, if its host may be asked for images.

    That is an exact member of `image_hosts` (``host``, or ``host:port`` for another port than the usual),
    or a loopback address when the API itself is one (the sandbox). Raises LinkRefused.
    """
    link = check_url(url)
    host = link.raw_host.decode("ascii").lower()
    name = host if link.port is None else f"{host}:{link.port}"
    if name in (allowed.lower() for allowed in image_hosts):
        return link
    if is_loopback(host) and is_loopback(httpx.URL(base_url).host):
        return link
    raise LinkRefused(f"{name} is not one of api.image_hosts; add it there if you trust it")


def redact(url: str) -> str:
    """The URL with every query value but ``exp`` replaced by ``***``, and without user name and fragment.

    >>> redact("https://ideogram.ai/a.png?exp=1800000000&sig=0123abcd")
    'https://ideogram.ai/a.png?exp=1800000000&sig=***'
    """
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return "<unreadable URL>"
    host = parts.netloc.rpartition("@")[2]
    shown = [f"{key}={value if key == 'exp' and value.isdecimal() else '***'}" for key, value in pairs]
    scheme = f"{parts.scheme}:" if parts.scheme else ""
    start = f"{scheme}//{host}" if host else scheme
    return start + parts.path + ("?" + "&".join(shown) if shown else "")


def redact_text(text: str) -> str:
    """`text` with every URL in it, and every stray ``sig=``, redacted."""
    return _SIGNATURE_IN_TEXT.sub("sig=***", _URL_IN_TEXT.sub(lambda match: redact(match[0]), text))


def link_expiry(url: str, received_at: datetime) -> datetime:
    """When the link stops working: its own ``exp`` (epoch seconds), else a day after it was received."""
    try:
        stated = dict(parse_qsl(urlsplit(url).query)).get("exp", "")
        if stated.isascii() and stated.isdecimal() and len(stated) <= 12:
            return datetime.fromtimestamp(int(stated), tz=UTC)
    except (ValueError, OverflowError, OSError):
        pass  # an expiry nobody can read is no better than none
    return received_at + DOCUMENTED_LIFETIME
