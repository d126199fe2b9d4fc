"""The conversation with the API: submit (paid, once), poll, quote and download (free, retried).

Knows HTTP and when a request provably was not sent. What an answer means is decided in `answers`; what to do
about it, elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote as quote_path
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr

from flows.errors import MaybeSent, NotSent, Refused, Unavailable
from flows.ideogram.catalogue import CATALOGUE
from flows.ideogram.downloads import Download, DownloadLimits, download
from flows.ideogram.links import LinkRefused, check_image_link, redact
from flows.ideogram.retries import TRANSIENT_STATUSES, Again, RetryPolicy, parse_http_date, parse_retry_after
from flows.ideogram.retries import persist as retry
from flows.ideogram.transport import Wire, decode_answer, explain, open_connections, read_answer

__all__ = ["ClientConfig", "Download", "IdeogramClient", "RawAnswer"]


@dataclass(frozen=True)
class RawAnswer:
    """An HTTP answer, nothing interpreted. `body` is at most 4 MiB; `server_time` is its ``Date`` in UTC."""

    status: int
    body: bytes
    request_id: str | None
    server_time: datetime | None
    elapsed_s: float


@dataclass(frozen=True)
class ClientConfig:
    """Where to talk to, and how long to wait. Times in seconds.

    `submit_s` and `synchronous_s` are the recommended deadlines for `submit`: generation takes 4 to 50 s, and
    a synchronous endpoint answers only when it is done. `poll_s` and `quote_s` bound one attempt, `silence_s`
    the time between two pieces of a download, `download_s` the whole of it with all its retries.
    """

    base_url: str
    image_hosts: tuple[str, ...] = ("ideogram.ai",)
    connect_s: float = 10
    submit_s: float = 30
    synchronous_s: float = 180
    poll_s: float = 30
    quote_s: float = 30
    silence_s: float = 30
    download_s: float = 120
    download_max_bytes: int = 64 * 2**20
    attempts: int = 5
    wait_initial_s: float = 0.5
    wait_max_s: float = 10
    retry_after_max_s: float = 60

    @property
    def retries(self) -> RetryPolicy:
        """The policy for everything that is free to repeat."""
        return RetryPolicy(self.attempts, self.wait_initial_s, self.wait_max_s, self.retry_after_max_s)


class IdeogramClient:
    """One API, one key, for the length of one run; an async context manager.

    Raises UserError when made with a key or address that cannot be used. `transport` replaces the network in
    tests. `uptime` counts seconds, also while the machine sleeps where the system can tell.
    """

    def __init__(
        self,
        config: ClientConfig,
        api_key: SecretStr,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        uptime: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self._uptime = uptime
        self._base = config.base_url.rstrip("/")
        self._to = open_connections(self._base, api_key, transport)

    def __repr__(self) -> str:
        return f"IdeogramClient({redact(self._base)!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for pool in (self._to.paid, self._to.free, self._to.images):
            await pool.aclose()

    async def submit(self, path: str, body: Mapping[str, Any], *, deadline_s: float) -> RawAnswer:
        """POST a paid request, exactly once on the wire. Every HTTP status is an answer.

        Raises NotSent when the first byte of the request provably never left (also because the machine slept past
        the deadline before it could), MaybeSent for everything else
        that is no answer: the deadline passed, the connection broke, the body cannot be read. A 4xx whose
        body breaks off is still an answer, because its status alone says that nothing ran. When the calling
        task is cancelled, the request may have been sent.
        """
        began = self._uptime()
        wire = Wire(late=lambda: self._uptime() - began > deadline_s)
        request = self._to.paid.build_request(
            "POST",
            self._base + path,
            content=_encode(body),
            headers={"Content-Type": "application/json"},
            timeout=self._timeout(deadline_s),
            extensions={"trace": wire},
        )
        try:
            return await _exchange(self._to.paid, request, deadline_s)
        except Exception as error:  # noqa: BLE001 - whatever broke, the wire says whether it may have run
            never_sent = wire.never_sent(error)
            why = f"no answer within {deadline_s:g} s" if type(error) is TimeoutError else explain(error)
        # Raised outside the handler, so that no frame of the HTTP library (whose request holds the key)
        # hangs on the error.
        if never_sent:
            raise NotSent(f"POST {path} did not reach the API ({why}); nothing was bought")
        raise MaybeSent(f"POST {path} may have reached the API, but its answer was lost ({why})")

    async def poll(self, generation_id: str) -> RawAnswer:
        """GET the state of a generation; retried. 404 is an answer. Raises Unavailable after its retries."""
        place = quote_path(generation_id, safe="")
        if place in {"", ".", ".."} or len(place) > 500:
            raise Unavailable(f"{place[:50]!r} cannot be the id of a generation")
        return await self._free("GET", f"/v2/generations/{place}", self.config.poll_s)

    async def quote(self, path: str, body: Mapping[str, Any]) -> RawAnswer:
        """Ask for the price of a request; free, retried. Raises Unavailable after its retries.

        Raises Refused for an endpoint that is not known to answer with a price: it would run, and bill.
        """
        if not any(endpoint.path == path and endpoint.dry_run for endpoint in CATALOGUE.values()):
            raise Refused(f"{path} is not known to give price quotes; asking could buy the images instead")
        return await self._free("POST", f"{path}?dry_run=true", self.config.quote_s, _encode(body))

    async def usage(self, start: datetime, end: datetime) -> RawAnswer:
        """GET what the account was billed, in UTC days; retried. 404 is the answer to a key that is no admin's."""
        span = {"start_time": _rfc3339(start), "end_time": _rfc3339(end), "bucket_width": "1d"}
        return await self._free("GET", f"/v2/account/usage?{urlencode(span)}", self.config.poll_s)

    async def download(self, url: str, into: BinaryIO) -> Download:
        """Stream an image into `into`, a seekable file that is rewound and cut for each attempt.

        Raises LinkDead (403, 404, 410), BadImage (too big, compressed, empty or still incomplete after the
        retries), Unavailable (network, 5xx, deadline, redirect, or a host we do not talk to; the message says
        which). An OSError of the file itself passes through.
        """
        config = self.config
        limits = DownloadLimits(
            config.download_max_bytes, config.download_s, config.connect_s, config.silence_s, config.retries
        )
        try:
            link = check_image_link(url, image_hosts=config.image_hosts, base_url=self._base)
        except LinkRefused as error:
            why = str(error)
        else:
            return await download(self._to.images, link, into, limits)
        raise Unavailable(f"{redact(url)}: the link is refused: {why}")

    def _timeout(self, deadline_s: float) -> httpx.Timeout:
        # Connecting and the TLS handshake have this each, so both end by themselves before the deadline:
        # a handshake that is cancelled instead leaves its socket open until the garbage collector comes.
        return httpx.Timeout(None, connect=min(self.config.connect_s, deadline_s / 2.5))

    async def _free(self, method: str, path: str, deadline_s: float, content: bytes | None = None) -> RawAnswer:
        what = f"{method} {path}"

        async def attempt() -> RawAnswer:
            headers = {"Content-Type": "application/json"} if content is not None else {}
            request = self._to.free.build_request(
                method,
                self._base + path,
                content=content,
                headers=headers,
                timeout=self._timeout(deadline_s),
            )
            try:
                answer, retry_after = await _exchange_retriable(self._to.free, request, deadline_s)
            except (httpx.HTTPError, httpx.StreamError, OSError, UnicodeError) as error:
                timed_out = type(error) is TimeoutError
                why = f"no answer within {deadline_s:g} s" if timed_out else explain(error)
                raise Again(Unavailable(f"{what} failed: {why}")) from None
            if answer.status in TRANSIENT_STATUSES:
                trouble = Unavailable(
                    f"{what} keeps answering HTTP {answer.status}",
                    status=answer.status,
                    request_id=answer.request_id,
                )
                now = answer.server_time or datetime.now(UTC)
                raise Again(trouble, parse_retry_after(retry_after, now))
            return answer

        return await retry(self.config.retries, attempt)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _encode(body: Mapping[str, Any]) -> bytes:
    # ASCII on purpose: escapes make any text encodable, even a lone surrogate that UTF-8 would choke on.
    return json.dumps(body, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


async def _exchange(client: httpx.AsyncClient, request: httpx.Request, deadline_s: float) -> RawAnswer:
    answer, _ = await _exchange_retriable(client, request, deadline_s)
    return answer


async def _exchange_retriable(
    client: httpx.AsyncClient, request: httpx.Request, deadline_s: float
) -> tuple[RawAnswer, str | None]:
    """Send once and read the answer, all within `deadline_s`; with it comes its Retry-After header."""
    started = time.perf_counter()
    body = bytearray()
    response: httpx.Response | None = None
    try:
        async with asyncio.timeout(deadline_s):
            response = await client.send(request, stream=True)
            await read_answer(response, body)
    except (httpx.HTTPError, httpx.StreamError, TimeoutError):
        if response is None or not 400 <= response.status_code < 500:
            raise
    finally:
        if response is not None:
            # The answer is in hand, or lost already: how the connection ends changes neither.
            with contextlib.suppress(Exception):
                await response.aclose()
    headers = response.headers
    answer = RawAnswer(
        status=response.status_code,
        body=decode_answer(response, bytes(body)),
        request_id=headers.get("x-request-id"),
        server_time=parse_http_date(headers.get("date")),
        elapsed_s=time.perf_counter() - started,
    )
    return answer, headers.get("retry-after")
