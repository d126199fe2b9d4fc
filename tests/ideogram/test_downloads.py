"""Downloads: complete and bounded, every failure told apart, and no secret told at all."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import tempfile
import tracemalloc
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
import stamina
from pydantic import SecretStr

from flows.errors import ApiTrouble, BadImage, LinkDead, Unavailable
from flows.ideogram.client import ClientConfig, Download, IdeogramClient

KEY = "sentinel-key-0123456789abcdef"
SIGNATURE = "5ec2e7" * 10
PICTURE = bytes(range(256)) * 500
DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
LINK = f"/api/images/ephemeral/a.png?exp=1800000000&sig={SIGNATURE}"


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run it, and fail rather than hang."""
    asyncio.run(asyncio.wait_for(scenario, 30))


def client(base_url: str, **changes: Any) -> IdeogramClient:
    return IdeogramClient(ClientConfig(base_url, **changes), SecretStr(KEY))


async def fetch(server: Any, **changes: Any) -> tuple[Download | ApiTrouble, bytes]:
    """The download, or the error of it, and what the file holds."""
    into = io.BytesIO(b"something longer that was here before" * 10_000)
    async with client(server.url, **changes) as api:
        try:
            return await api.download(server.url + LINK, into), into.getvalue()
        except ApiTrouble as error:
            return error, into.getvalue()


def test_what_arrives_is_exactly_what_was_sent(loopback: Any) -> None:
    """Bytes, length, digest, type and the host's Date; asked for by our name, without the key."""

    async def scenario() -> None:
        reply = loopback.reply(200, PICTURE, content_type="image/png", date=DATE)
        async with loopback.serve(reply) as server:
            got, held = await fetch(server)
        assert held == PICTURE
        when = datetime(2026, 11, 22, 10, tzinfo=UTC)
        assert got == Download(len(PICTURE), hashlib.sha256(PICTURE).hexdigest(), "image/png", when)
        (seen,) = server.seen
        assert seen.target == LINK
        assert seen.headers["user-agent"].startswith("ideoflow/")
        assert seen.headers["accept-encoding"] == "identity"
        assert KEY not in str(seen)
        assert not {"api-key", "authorization", "cookie"} & set(seen.headers)

    run(scenario())


def test_neither_key_nor_cookies_of_the_api_reach_the_image_host(loopback: Any) -> None:
    """Not even when both are the same host and the API has just set a cookie."""

    async def scenario() -> None:
        reply = loopback.reply(200, b"{}", set_cookie="session=secret; Path=/")
        async with loopback.serve(reply) as server, client(server.url) as api:
            await api.poll("g")
            await api.submit("/generate", {}, deadline_s=5)
            await api.download(server.url + LINK, io.BytesIO())
        assert [KEY in str(seen.headers) for seen in server.seen] == [True, True, False]
        assert "secret" not in str(server.seen[2].headers)

    run(scenario())


def test_chunked_bodies_arrive_whole(loopback: Any) -> None:
    """No Content-Length is needed."""

    async def scenario() -> None:
        data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        async with loopback.serve(loopback.raw(data)) as server:
            assert (await fetch(server))[1] == b"abcde"

    run(scenario())


@pytest.mark.parametrize(
    "hiccup",
    [
        pytest.param(b"", id="closes"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 128000\r\n\r\nhalf", id="half a body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", id="empty"),
        pytest.param(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", id="500"),
        pytest.param(b"HTTP/1.1 429 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", id="429"),
    ],
)
def test_a_hiccup_is_repaired_from_the_start(loopback: Any, hiccup: bytes) -> None:
    """The file is rewound and cut: nothing of a failed attempt stays in it."""

    async def scenario() -> None:
        for reset in (False, True):
            bad = loopback.raw(hiccup, reset=reset)
            answers = loopback.in_turn(bad, bad, loopback.reply(200, PICTURE))
            async with loopback.serve(answers) as server:
                got, held = await fetch(server)
                assert isinstance(got, Download)
                assert held == PICTURE
                assert len(server.seen) == 3

    run(scenario())


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_dead_link_is_told_with_the_hosts_own_time(loopback: Any, status: int) -> None:
    """At once, because asking again does not revive it."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(status, b"no", date=DATE)) as server:
            error, held = await fetch(server)
            assert isinstance(error, LinkDead)
            assert (error.status, error.server_time) == (
                status,
                datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp(),
            )
            assert held == b""
            assert len(server.seen) == 1

    run(scenario())


@pytest.mark.parametrize("date", [None, "yesterday", "-1", "Sun, 99 Nov 2026 10:00:00 GMT"])
def test_a_dead_link_without_a_readable_date_has_none(loopback: Any, date: str | None) -> None:
    """No time is made up."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(403, b"", date=date)) as server:
            error, _ = await fetch(server)
            assert isinstance(error, LinkDead)
            assert error.server_time is None

    run(scenario())


@pytest.mark.parametrize(
    ("status", "requests"),
    [(301, 1), (302, 1), (307, 1), (204, 1), (206, 1), (400, 1), (401, 1), (451, 1), (500, 3)],
)
def test_other_answers_are_unavailable(loopback: Any, status: int, requests: int) -> None:
    """Redirects are refused, errors of the server are repeated; none of them says that the link is dead."""

    async def scenario() -> None:
        reply = loopback.reply(status, b"", location=f"https://elsewhere.example/?sig={SIGNATURE}")
        async with loopback.serve(reply) as server:
            error, _ = await fetch(server)
            assert type(error) is Unavailable
            assert error.status == status
            assert len(server.seen) == requests

    run(scenario())


@pytest.mark.parametrize("chunked", [False, True])
def test_too_big_is_refused_and_never_held(loopback: Any, chunked: bool) -> None:
    """By its Content-Length before a byte is read, else as soon as the limit is passed."""

    async def pour(_: Any, writer: asyncio.StreamWriter) -> None:
        head = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {10**9}"
        writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n" if chunked else bytes(0x10000))
            await writer.drain()

    async def scenario() -> None:
        async with loopback.serve(pour) as server:
            error, held = await fetch(server, download_max_bytes=300_000)
            assert type(error) is BadImage
            assert "300,000" in str(error)
            assert len(held) <= 300_000
            assert len(server.seen) == 1

    run(scenario())


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_body_that_stays_incomplete_is_a_bad_image(loopback: Any, data: bytes) -> None:
    """After the retries; the host had its chances."""

    async def scenario() -> None:
        async with loopback.serve(loopback.raw(data)) as server:
            error, _ = await fetch(server)
            assert type(error) is BadImage
            assert len(server.seen) == 3

    run(scenario())


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_compressed_bodies_are_refused(loopback: Any, encoding: str) -> None:
    """We asked for the bytes as they are; a decompression bomb has no way in."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, b"bomb", content_encoding=encoding)) as server:
            error, held = await fetch(server)
            assert type(error) is BadImage
            assert held == b""

    run(scenario())


@pytest.mark.parametrize("length", ["-5", "1e3", "5, 6", "٣"])
def test_a_nonsense_length_is_trouble_and_no_crash(loopback: Any, length: str) -> None:
    """Whatever stands in Content-Length."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, b"abc", content_length=length)) as server:
            error, _ = await fetch(server)
            assert isinstance(error, Unavailable | BadImage)

    run(scenario())


def test_a_slow_drip_ends_with_the_total_deadline(loopback: Any) -> None:
    """Always a byte just in time never makes a download last."""

    async def drip(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def scenario() -> None:
        async with loopback.serve(drip) as server:
            error, _ = await fetch(server, download_s=0.5)
            assert type(error) is Unavailable
            assert "not complete within 0.5 s" in str(error)
            assert len(server.seen) == 1

    run(scenario())


def test_a_stalled_body_is_tried_again_within_the_deadline(loopback: Any) -> None:
    """Silence ends an attempt long before it ends the download."""

    async def scenario() -> None:
        stall = loopback.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", close=False)
        async with loopback.serve(loopback.in_turn(stall, loopback.reply(200, PICTURE))) as server:
            got, held = await fetch(server, silence_s=0.3)
            assert isinstance(got, Download)
            assert held == PICTURE

    run(scenario())


def test_the_deadline_includes_what_the_host_asks_us_to_wait(loopback: Any) -> None:
    """A Retry-After of an hour, capped at a minute, does not outlast a download's own deadline."""

    async def scenario() -> None:
        with stamina.set_testing(False):
            async with loopback.serve(loopback.reply(503, b"", retry_after="3600")) as server:
                error, _ = await fetch(server, download_s=0.5)
                assert type(error) is Unavailable
                assert len(server.seen) == 1

    run(scenario())


def test_a_retry_after_is_honoured(loopback: Any) -> None:
    """The next request comes no sooner than the host asked for."""

    async def scenario() -> None:
        with stamina.set_testing(False):
            answers = loopback.in_turn(loopback.reply(429, retry_after="1"), loopback.reply(200, PICTURE))
            async with loopback.serve(answers) as server:
                started = asyncio.get_running_loop().time()
                got, _ = await fetch(server)
                assert isinstance(got, Download)
                assert 1 <= asyncio.get_running_loop().time() - started < 5

    run(scenario())


def test_trouble_of_the_file_is_not_called_trouble_of_the_link(loopback: Any) -> None:
    """A full disk, or a network disk that timed out, passes through as it is, and is not retried."""

    class Full(io.BytesIO):
        error: OSError

        def write(self, _: Any, /) -> int:
            raise self.error

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, PICTURE)) as server, client(server.url) as api:
            for kind in (OSError(28, "No space left on device"), TimeoutError(110, "timed out")):
                into = Full()
                into.error = kind
                with pytest.raises(OSError, match=kind.strerror or "?"):
                    await api.download(server.url + LINK, into)
            assert len(server.seen) == 2

    run(scenario())


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("https://evil.example/a.png", "not one of api.image_hosts"),
        ("https://ideogram.ai.evil.example/a.png", "not one of api.image_hosts"),
        ("https://ideogram.ai.:443/a.png", "not one of api.image_hosts"),
        ("https://ideogram.ai:8443/a.png", "not one of api.image_hosts"),
        ("https://127.0.0.1/a.png", "not one of api.image_hosts"),
        ("https://[::1]/a.png", "not one of api.image_hosts"),
        ("https://evil.example\\@ideogram.ai/a.png", ""),
        ("https://ideogram.ai@evil.example/a.png", "user name"),
        ("https://user:pw@ideogram.ai/a.png", "user name"),
        ("http://ideogram.ai/a.png", "only https"),
        ("HTTP://ideogram.ai/a.png", "only https"),
        ("http://169.254.169.254/latest/meta-data", "only https"),
        ("file:///etc/passwd", ""),
        ("//ideogram.ai/a.png", ""),
        ("ideogram.ai/a.png", ""),
        ("", ""),
        ("https://", ""),
        ("https://ideogram.ai/a\n.png", "not a URL"),
        ("https://ideogram.ai:99999/a.png", ""),
        ("https://[", ""),
        ("https://xn--a", ""),
    ],
)
def test_links_to_anywhere_else_are_refused_unsent(link: str, why: str) -> None:
    """Exact hosts over https, no user names, no loopback unless the API is there; nothing is requested."""

    async def scenario() -> None:
        async with client("https://api.ideogram.ai") as api:
            with pytest.raises(Unavailable, match="the link is refused") as caught:
                await api.download(link, io.BytesIO())
            assert why in str(caught.value)
            assert "pw" not in str(caught.value)

    run(scenario())


def test_a_loopback_host_may_be_allowed_by_name(loopback: Any) -> None:
    """With its port, for an image host beside a remote API."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, PICTURE)) as server:
            allowed = ("ideogram.ai", f"127.0.0.1:{server.port}")
            async with client("https://api.ideogram.ai", image_hosts=allowed) as api:
                await api.download(server.url + LINK, io.BytesIO())

    run(scenario())


def test_forty_megabytes_pass_through_little_memory(loopback: Any) -> None:
    """Streamed: less than 4 MB at any moment, server included, whatever the size of the picture."""
    size, piece = 40_000_000, bytes(50_000)

    async def pour(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // len(piece)):
            writer.write(piece)
            await writer.drain()

    async def scenario() -> None:
        async with loopback.serve(pour) as server, client(server.url) as api:
            with tempfile.TemporaryFile() as into:
                await api.download(server.url + LINK, into)  # imports and pools are warm
                tracemalloc.start()
                try:
                    got = await api.download(server.url + LINK, into)
                    peak = tracemalloc.get_traced_memory()[1]
                finally:
                    tracemalloc.stop()
        assert got.bytes == size
        assert peak < 4_000_000
        print(f"peak while downloading 40 MB: {peak / 1e6:.2f} MB")

    run(scenario())


def test_no_log_at_any_level_holds_a_signature_or_the_key(loopback: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Success, dead link, redirect, retries: httpx, httpcore, asyncio and stamina at DEBUG name no secret."""

    async def scenario() -> None:
        redirect = loopback.reply(302, b"", location=f"{LINK}&again=1")
        absolute = loopback.reply(302, b"", location=f"https://ideogram.ai{LINK}")
        ok, dead, down = loopback.reply(200, PICTURE), loopback.reply(403), loopback.reply(500)
        for answer in (ok, dead, redirect, absolute, down, loopback.raw(b"")):
            async with loopback.serve(answer) as server:
                _, _ = await fetch(server)
                async with client(server.url) as api:
                    await api.submit("/generate", {}, deadline_s=5) if answer is ok else None

    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "stamina", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    run(scenario())
    everything = "\n".join(str(vars(record)) + record.getMessage() for record in caplog.records)
    assert {"httpx", "httpcore.http11", "stamina"} <= {record.name for record in caplog.records}
    assert "a.png?exp=1800000000&sig=***" in everything
    assert SIGNATURE not in everything
    assert KEY not in everything


def test_no_message_holds_a_signature(loopback: Any) -> None:
    """Whatever fails, the link is shown without what makes it work."""

    async def scenario() -> None:
        replies = [loopback.reply(status) for status in (302, 400, 403, 500)]
        replies += [loopback.raw(b""), loopback.raw(b"nonsense\r\n\r\n")]
        for answer in replies:
            async with loopback.serve(answer) as server:
                error, _ = await fetch(server)
                assert "sig=***" in str(error)
                assert SIGNATURE not in repr(error) + str(error)

    run(scenario())
