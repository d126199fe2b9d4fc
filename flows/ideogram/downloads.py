"""One image from its signed link into a file: streamed, bounded in size and time, retried.

Knows HTTP and bytes; whether the bytes are the promised picture is decided elsewhere. No key comes here:
links are signed, and the image host is not the API.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

import httpx

from flows.errors import BadImage, LinkDead, Unavailable
from flows.ideogram.links import redact
from flows.ideogram.retries import TRANSIENT_STATUSES, Again, RetryPolicy, parse_http_date, parse_retry_after, persist
from flows.ideogram.transport import explain


@dataclass(frozen=True)
class Download:
    """What arrived: its length, its SHA-256 (hex), the declared type, and the host's own ``Date`` in UTC."""

    bytes: int
    sha256: str
    content_type: str | None
    server_time: datetime | None


@dataclass(frozen=True)
class DownloadLimits:
    """`total_s` bounds the download with all attempts and waits, `silence_s` two pieces of one attempt."""

    max_bytes: int
    total_s: float
    connect_s: float
    silence_s: float
    retries: RetryPolicy


async def download(client: httpx.AsyncClient, link: httpx.URL, into: BinaryIO, limits: DownloadLimits) -> Download:
    """Stream a checked `link` into `into`; see IdeogramClient.download for the errors."""
    name = redact(str(link))
    try:
        async with asyncio.timeout(limits.total_s) as deadline:
            return await persist(limits.retries, lambda: _attempt(client, link, name, into, limits))
    except TimeoutError:
        # A file on a network disk can time out too, and that is the storage's trouble, not the link's.
        if not deadline.expired():
            raise
    raise Unavailable(f"{name}: not complete within {limits.total_s:g} s")


async def _attempt(
    client: httpx.AsyncClient, link: httpx.URL, name: str, into: BinaryIO, limits: DownloadLimits
) -> Download:
    into.seek(0)
    into.truncate()
    timeout = httpx.Timeout(limits.silence_s, connect=limits.connect_s)
    received = 0
    began = False
    try:
        async with client.stream("GET", link, headers={"Accept": "image/*"}, timeout=timeout) as response:
            promised = _judge(response, name, limits.max_bytes)
            began = True
            digest = hashlib.sha256()
            # Raw: nothing is decompressed, so what is hashed and kept is what the host sent. Pieces are at
            # most 64 KiB; writing one to a local file is quicker than a hop to a thread.
            async for chunk in response.aiter_raw():
                received += len(chunk)
                if received > limits.max_bytes:
                    raise BadImage(f"{name}: larger than {limits.max_bytes:,} bytes")
                digest.update(chunk)
                into.write(chunk)
    except httpx.RemoteProtocolError as error:
        kind = BadImage if began else Unavailable
        words = f"incomplete, {received:,} bytes came" if began else explain(error)
        raise Again(kind(f"{name}: {words}")) from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise Again(Unavailable(f"{name}: {explain(error)}")) from None
    if received == 0 or (promised is not None and received != promised):
        raise Again(BadImage(f"{name}: incomplete, {received:,} of {promised or 'some'} bytes came"))
    into.flush()
    headers = response.headers
    return Download(received, digest.hexdigest(), headers.get("content-type"), parse_http_date(headers.get("date")))


def _judge(response: httpx.Response, name: str, max_bytes: int) -> int | None:
    """The promised length, if these headers promise an image we take; else the error that fits."""
    status, headers = response.status_code, response.headers
    server_time = parse_http_date(headers.get("date"))
    if status in {403, 404, 410}:
        epoch = server_time.timestamp() if server_time else None
        raise LinkDead(f"{name}: the host answers HTTP {status}", status=status, server_time=epoch)
    if 300 <= status < 400:
        raise Unavailable(f"{name}: the host redirects, and redirects are refused", status=status)
    if status != 200:
        trouble = Unavailable(f"{name}: the host answers HTTP {status}", status=status)
        if status not in TRANSIENT_STATUSES:
            raise trouble
        now = server_time or datetime.now(UTC)
        raise Again(trouble, parse_retry_after(headers.get("retry-after"), now))
    if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise BadImage(f"{name}: arrived compressed, although we asked for it as it is")
    stated = headers.get("content-length", "")
    promised = int(stated) if stated.isascii() and stated.isdecimal() else None
    if promised is not None and promised > max_bytes:
        raise BadImage(f"{name}: {promised:,} bytes, and the limit is {max_bytes:,}")
    return promised
