"""How bytes get to the API and back: connections, the key, the evidence of sending, and silent logs.

Knows httpx; knows no endpoint and no meaning of an answer. The key is put on a request by `ApiKey` at the
last moment and lives nowhere else, so that no header map, repr or traceback of ours holds it.
"""

from __future__ import annotations

import contextlib
import logging
import zlib
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import httpx
from pydantic import SecretStr

from flows.errors import UserError
from flows.ideogram.links import LinkRefused, check_url, is_loopback, redact_text

ANSWER_MAX_BYTES = 4 * 2**20
"""More than this of an answer is never kept: eight images with long prompts are some 100 kB."""

_BEFORE_SENDING = frozenset(
    {"connect_tcp", "connect_unix_socket", "start_tls", "retry", "setup_socks5_connection", "response_closed"}
)
_NEVER_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def user_agent() -> str:
    """What we call ourselves, always: the image host turns away clients without a decent name."""
    try:
        version = metadata.version("ideoflow")
    except metadata.PackageNotFoundError:  # run from a source tree that was never installed
        version = "0"
    return f"ideoflow/{version} (+batch image pipeline; httpx/{httpx.__version__})"


class ApiKey(httpx.Auth):
    """Puts the ``Api-Key`` header on a request that goes to the API.

    As httpx's `auth` it also keeps other credentials (of a URL, of a .netrc) away from that request.
    """

    def __init__(self, key: SecretStr) -> None:
        value = key.get_secret_value().strip()
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise UserError(
                "The Ideogram API key is empty or holds characters that no key has; "
                "copy it again into IDEOGRAM_API_KEY."
            )
        self._key = SecretStr(value)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        request.headers["Api-Key"] = self._key.get_secret_value()
        yield request


class TooLate(Exception):
    """A request was about to be sent long after somebody decided to."""


class Wire:
    """Watches one request from inside the connection, to be able to prove that it was never sent.

    httpcore calls it before and after each step. Any step that is not known to come before the first byte of
    the request counts as sending, so an event we have never heard of errs on the side of "maybe sent".
    A proxy's CONNECT is a request of its own: the API is not reached before its answer.

    `late` is asked in the last moment before the first byte: a machine that slept while it connected must not send
    a request that others gave up hours ago.
    """

    def __init__(self, late: Callable[[], bool] = lambda: False) -> None:
        self.seen = False
        self.sending = False
        self._late = late

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """The ``trace`` extension of httpcore: `event` is such as ``http11.send_request_headers.started``."""
        self.seen = True
        step, _, phase = event.partition(".")[2].rpartition(".")
        if phase in {"complete", "failed"} or step in _BEFORE_SENDING:
            return
        if getattr(info.get("request"), "method", b"") != b"CONNECT":
            if not self.sending and self._late():
                raise TooLate("the machine slept before it was sent")
            self.sending = True

    def never_sent(self, error: Exception) -> bool:
        """Whether the request provably never went out, given the `error` that ended it."""
        return not self.sending and (self.seen or isinstance(error, _NEVER_CONNECTED))


@dataclass(frozen=True)
class Connections:
    """Three separate pools, because they must not share connections, keys or cookies."""

    paid: httpx.AsyncClient
    free: httpx.AsyncClient
    images: httpx.AsyncClient


def open_connections(base_url: str, key: SecretStr, transport: httpx.AsyncBaseTransport | None) -> Connections:
    """The pools for one API. Raises UserError when `base_url` or `key` cannot be used.

    Certificate files and proxies of the environment are honoured (many offices have no other way out), but
    no proxy for a loopback API: it could not reach the sandbox inside this machine. Redirects are never
    followed. A given `transport` serves all three.
    """
    try:
        base = check_url(base_url)
    except LinkRefused as error:
        raise UserError(f"api.base_url cannot be used: {error}.") from None
    silence_secrets()
    trust_env = not is_loopback(base.host)
    tls = httpx.create_ssl_context()

    def pool(limits: httpx.Limits, auth: httpx.Auth | None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers={"User-Agent": user_agent(), "Accept-Encoding": "identity"},
            timeout=None,  # noqa: S113 - each request brings its own
            verify=tls,
            auth=auth,
            limits=limits,
            trust_env=trust_env,
            follow_redirects=False,
            transport=transport,
        )

    # A paid request never travels on a connection that was kept alive: the server may have closed it in the
    # meantime, and then a request that nobody ever read would look as if it might have run. Bounded
    # concurrency is the caller's business; a limit here would only hide waiting inside a deadline.
    fresh = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    reused = httpx.Limits(max_connections=None, max_keepalive_connections=16, keepalive_expiry=15)
    auth = ApiKey(key)
    return Connections(paid=pool(fresh, auth), free=pool(reused, auth), images=pool(reused, None))


async def read_answer(response: httpx.Response, into: bytearray) -> None:
    """Append the body to `into` as it comes, up to the cap. What came before an error stays in `into`."""
    async with contextlib.aclosing(_raw(response)) as chunks:
        async for chunk in chunks:
            into += chunk[: ANSWER_MAX_BYTES - len(into)]
            if len(into) >= ANSWER_MAX_BYTES:
                return


def decode_answer(response: httpx.Response, body: bytes) -> bytes:
    """The body without its compression. We ask for none, but an answer that was paid for is read anyway.

    Bounded, so that a few kilobytes cannot unfold into gigabytes; what cannot be decoded is kept as it is.
    """
    if response.headers.get("content-encoding", "").strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return body
    try:
        return zlib.decompressobj(wbits=47).decompress(body, ANSWER_MAX_BYTES)
    except zlib.error:
        return body


async def _raw(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    async for chunk in response.aiter_raw():
        yield chunk


def explain(error: Exception) -> str:
    """An HTTP library's error as a short phrase without secrets."""
    words = redact_text(str(error)).strip().splitlines()
    return f"{type(error).__name__}: {words[0][:200]}" if words else type(error).__name__


class _Redacting(logging.Filter):
    """httpx logs whole URLs at INFO, httpcore whole header lists at DEBUG: both can hold a signed link."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact_text(record.getMessage()), ()
        return True


_redacting = _Redacting()
_nowhere = logging.NullHandler()


def silence_secrets() -> None:
    """Make the HTTP libraries' loggers redact links, at every level and for every handler; idempotent."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_redacting)
    # A retry is no news to a person: told to whoever configures logging, not to a bare terminal.
    logging.getLogger("stamina").addHandler(_nowhere)
