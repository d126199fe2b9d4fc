"""The client against servers that behave, misbehave and die, all on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import json
import ssl
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from flows.errors import ApiTrouble, MaybeSent, NotSent, Refused, Unavailable, UserError
from flows.ideogram.client import ClientConfig, IdeogramClient, RawAnswer

KEY = "sentinel-key-0123456789abcdef"
PATH = "/v2/image/generate/ideogram-4-5"
BODY = {"prompt": "Ein schönes Bild 夏 \ud800", "num_images": 1, "async": True}
CONFIG = ClientConfig("http://127.0.0.1:1", wait_initial_s=0.01)


def client(base_url: str, **changes: Any) -> IdeogramClient:
    return IdeogramClient(ClientConfig(base_url, **changes), SecretStr(KEY))


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run it, and fail rather than hang."""
    asyncio.run(asyncio.wait_for(scenario, 30))


async def submit(base_url: str, *, deadline_s: float = 5) -> RawAnswer | ApiTrouble:
    """The answer or the error of one paid request."""
    async with client(base_url) as api:
        try:
            return await api.submit(PATH, BODY, deadline_s=deadline_s)
        except ApiTrouble as error:
            return error


def test_a_machine_that_slept_while_it_connected_sends_nothing(loopback: Any) -> None:
    """Others may have given the request up meanwhile, and asked for it anew: it provably never left."""
    times = iter([100.0])

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, b"{}")) as server:
            config = ClientConfig(server.url)
            async with IdeogramClient(config, SecretStr(KEY), uptime=lambda: next(times, 3700.0)) as api:
                with pytest.raises(NotSent, match="the machine slept before it was sent"):
                    await api.submit(PATH, BODY, deadline_s=30)
        assert server.seen == []

    run(scenario())


def test_a_submission_goes_out_once_with_key_agent_and_json_and_comes_back_raw(loopback: Any) -> None:
    """The body, the key and a User-Agent are on the wire; status, body, request id and Date come back."""

    async def scenario() -> None:
        reply = loopback.reply(200, b'{"generation_id":"g"}', x_request_id="r-1", date="Sun, 22 Nov 2026 10:00:00 GMT")
        async with loopback.serve(reply) as server:
            answer = await submit(server.url)
        assert isinstance(answer, RawAnswer)
        assert (answer.status, answer.body, answer.request_id) == (200, b'{"generation_id":"g"}', "r-1")
        assert answer.server_time == datetime(2026, 11, 22, 10, tzinfo=UTC)
        assert 0 < answer.elapsed_s < 5
        (seen,) = server.seen
        assert (seen.method, seen.target) == ("POST", PATH)
        assert seen.headers["api-key"] == KEY
        assert seen.headers["user-agent"].startswith("ideoflow/")
        assert "(+" in seen.headers["user-agent"]
        assert seen.headers["content-type"] == "application/json"
        assert json.loads(seen.body) == BODY

    run(scenario())


@pytest.mark.parametrize("status", [200, 201, 301, 302, 307, 400, 401, 402, 403, 404, 413, 422, 429, 500, 503])
def test_every_status_of_a_submission_is_an_answer_and_nothing_is_repeated(loopback: Any, status: int) -> None:
    """No status raises, none is retried, no redirect is followed."""

    async def scenario() -> None:
        reply = loopback.reply(status, b"<html>", location="/elsewhere", retry_after="0")
        async with loopback.serve(reply) as server:
            answer = await submit(server.url)
            assert isinstance(answer, RawAnswer)
            assert answer.status == status
            assert len(server.seen) == 1

    run(scenario())


async def _slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _half_a_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(20)
    writer.transport.abort()


@pytest.mark.parametrize("conversation", [_slam, _hang, _close, _half_a_request])
def test_a_server_that_accepts_and_goes_away_leaves_doubt(loopback: Any, conversation: Any) -> None:
    """Over plain HTTP the request is written as soon as the connection stands: nobody can say who read it."""

    async def scenario() -> None:
        async with loopback.listen(conversation) as port:
            error = await submit(f"http://127.0.0.1:{port}", deadline_s=1)
            assert type(error) is MaybeSent

    run(scenario())


@pytest.mark.parametrize(
    ("data", "options"),
    [
        pytest.param(b"", {}, id="reads the request, then closes"),
        pytest.param(b"", {"reset": True}, id="reads the request, then resets"),
        pytest.param(b"", {"close": False}, id="reads the request, then silence"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", {}, id="half a header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", {}, id="half a body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", {"reset": True}, id="reset in the body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", {"close": False}, id="body that stalls"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", {}, id="half a chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", {}, id="a broken chunk size"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", {}, id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 60_000, {}, id="endless headers"),
        pytest.param(b"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n{", {}, id="half the body of a 500"),
    ],
)
def test_an_answer_that_is_lost_after_the_request_leaves_doubt(
    loopback: Any, data: bytes, options: dict[str, bool]
) -> None:
    """Once the server has the request, every way of losing its answer is MaybeSent."""

    async def scenario() -> None:
        async with loopback.serve(loopback.raw(data, **options)) as server:
            error = await submit(server.url, deadline_s=1)
            assert type(error) is MaybeSent
            assert len(server.seen) == 1

    run(scenario())


def test_a_dripping_answer_is_cut_off_by_the_deadline(loopback: Any) -> None:
    """A byte now and then keeps no request alive beyond its deadline."""

    async def drip(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def scenario() -> None:
        async with loopback.serve(drip) as server:
            started = asyncio.get_running_loop().time()
            assert type(await submit(server.url, deadline_s=1)) is MaybeSent
            assert asyncio.get_running_loop().time() - started < 5

    run(scenario())


@pytest.mark.parametrize("ending", [{}, {"close": False}, {"reset": True}])
def test_a_4xx_whose_body_breaks_off_is_still_an_answer(loopback: Any, ending: dict[str, bool]) -> None:
    """The status alone proves that nothing ran, so no money is in doubt."""

    async def scenario() -> None:
        data = b'HTTP/1.1 429 Busy\r\nContent-Length: 99\r\n\r\n{"error":'
        async with loopback.serve(loopback.raw(data, **ending)) as server:
            answer = await submit(server.url, deadline_s=1)
            assert isinstance(answer, RawAnswer)
            assert answer.status == 429

    run(scenario())


def test_informational_answers_are_waited_through(loopback: Any) -> None:
    """100 and 103 are not the answer."""

    async def scenario() -> None:
        early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n"
        data = early + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        async with loopback.serve(loopback.raw(data)) as server:
            answer = await submit(server.url)
            assert isinstance(answer, RawAnswer)
            assert (answer.status, answer.body) == (200, b"{}")

    run(scenario())


def test_at_most_four_mebibytes_of_an_answer_are_kept(loopback: Any) -> None:
    """A huge body is an answer, cut."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, b"x" * 9_000_000)) as server:
            answer = await submit(server.url)
            assert isinstance(answer, RawAnswer)
            assert len(answer.body) == 4 * 2**20

    run(scenario())


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (gzip.compress(b'{"a":1}', mtime=0), b'{"a":1}'),
        (gzip.compress(bytes(50_000_000), mtime=0), bytes(4 * 2**20)),
        (b"not gzip", b"not gzip"),
    ],
)
def test_a_compressed_answer_is_read_but_never_unfolds_beyond_the_cap(loopback: Any, sent: bytes, read: bytes) -> None:
    """We ask for none; one that comes anyway was paid for, and a bomb stays small."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, sent, content_encoding="gzip")) as server:
            answer = await submit(server.url)
            assert isinstance(answer, RawAnswer)
            assert answer.body == read
            assert server.seen[0].headers["accept-encoding"] == "identity"

    run(scenario())


async def _free_port(loopback: Any) -> int:
    async with loopback.listen(_close) as port:
        return int(port)


def test_nothing_listens(loopback: Any) -> None:
    """A refused connection is NotSent."""

    async def scenario() -> None:
        error = await submit(f"http://127.0.0.1:{await _free_port(loopback)}")
        assert type(error) is NotSent
        assert "nothing was bought" in str(error)

    run(scenario())


def test_a_name_that_cannot_be_looked_up() -> None:
    """A host that no resolver takes is NotSent."""

    async def scenario() -> None:
        nowhere = f"https://{'a' * 64}.invalid"
        assert type(await submit(nowhere)) is NotSent
        async with client(nowhere) as api:
            with pytest.raises(Unavailable):
                await api.poll("g")

    run(scenario())


@pytest.mark.parametrize("conversation", [_slam, _hang, _close])
def test_a_tls_handshake_that_never_completes_is_not_sent(loopback: Any, conversation: Any) -> None:
    """Without a finished handshake no byte of the request can have left, even when the deadline passes."""

    async def scenario() -> None:
        async with loopback.listen(conversation) as port:
            assert type(await submit(f"https://127.0.0.1:{port}", deadline_s=0.3)) is NotSent

    run(scenario())


def test_a_certificate_nobody_vouches_for_is_not_sent(loopback: Any, tmp_path: Path) -> None:
    """The server never sees the request, nor the key."""

    async def scenario() -> None:
        tls, _ = _certificate(tmp_path)
        async with loopback.serve(loopback.reply(200, b"{}"), tls=tls) as server:
            assert type(await submit(server.url)) is NotSent
            assert server.seen == []

    run(scenario())


def test_certificates_of_the_environment_are_trusted(
    loopback: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An office's own authority works, through SSL_CERT_FILE, as everywhere else."""
    tls, authority = _certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, b"{}"), tls=tls) as server:
            answer = await submit(server.url)
            assert isinstance(answer, RawAnswer)
            assert server.seen[0].headers["api-key"] == KEY

    run(scenario())


def _certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server context and the PEM file that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context, pem


@pytest.mark.parametrize(
    "reaction",
    [
        pytest.param(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", id="refuses"),
        pytest.param(b"HTTP/1.1 200 Connected\r\n\r\n", id="connects, then closes"),
        pytest.param(b"HTTP/1.1 200 Connected\r\n\r\nnot TLS at all", id="connects to no TLS"),
        pytest.param(b"", id="closes"),
        pytest.param(None, id="hangs"),
    ],
)
def test_a_proxy_that_never_reaches_the_api_is_not_sent(
    loopback: Any, monkeypatch: pytest.MonkeyPatch, reaction: bytes | None
) -> None:
    """The proxy of the environment is used, sees no key, and its failures are provably before the request."""

    async def scenario() -> None:
        heads = []

        async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            if reaction is None:
                await asyncio.Event().wait()
            writer.write(reaction or b"")
            writer.close()

        async with loopback.listen(proxy) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
            assert type(await submit("https://api.example.com", deadline_s=0.5)) is NotSent
        assert heads[0].startswith(b"CONNECT api.example.com:443 HTTP/1.1")
        assert KEY.encode() not in heads[0]

    run(scenario())


def test_a_loopback_api_needs_no_proxy(loopback: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy outside cannot reach the sandbox inside, so it is not asked."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, b"{}")) as server:
            assert isinstance(await submit(server.url), RawAnswer)

    run(scenario())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    reads=st.one_of(st.integers(0, 400), st.none()),
    sends=st.integers(0, 70),
    ending=st.sampled_from(["close", "reset", "hang"]),
)
@pytest.mark.slow
def test_what_could_have_reached_the_server_is_never_called_not_sent(
    loopback: Any, reads: int | None, sends: int, ending: str
) -> None:
    """Wherever the server stops reading, stops answering and however it leaves: a byte read means doubt."""

    async def scenario() -> None:
        got = 0
        whole = b'HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{"generation_id":"g"}'

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal got
            wanted = 100_000 if reads is None else reads
            while got < wanted and not writer.is_closing():
                data = await reader.read(min(64, wanted - got))
                got += len(data)
                if not data or (reads is None and data.endswith(b"}")):
                    break
            writer.write(whole[:sends])
            await writer.drain()
            if ending == "reset":
                writer.transport.abort()
            elif ending == "hang":
                await asyncio.Event().wait()

        async with loopback.listen(converse) as port:
            outcome = await submit(f"http://127.0.0.1:{port}", deadline_s=0.15)
        if got:
            assert type(outcome) in {MaybeSent, RawAnswer}
        if isinstance(outcome, RawAnswer):
            assert outcome.body == whole[-21:]

    run(scenario())


def test_an_unknown_error_of_an_unknown_transport_is_doubt() -> None:
    """Evidence is needed for NotSent; a transport that gives none and breaks is MaybeSent."""

    class Broken(httpx.AsyncBaseTransport):
        def __init__(self, error: Exception) -> None:
            self.error = error

        async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
            raise self.error

    async def outcome(error: Exception) -> type[ApiTrouble]:
        async with IdeogramClient(CONFIG, SecretStr(KEY), transport=Broken(error)) as api:
            with pytest.raises(ApiTrouble) as caught:
                await api.submit(PATH, BODY, deadline_s=1)
            return type(caught.value)

    unknown = (RuntimeError("?"), httpx.ReadError("?"), httpx.WriteError("?"), OSError("?"))
    assert {asyncio.run(outcome(error)) for error in unknown} == {MaybeSent}
    before = (httpx.ConnectError("?"), httpx.ConnectTimeout("?"), httpx.ProxyError("?"))
    assert {asyncio.run(outcome(error)) for error in before} == {NotSent}


def test_a_cancelled_submission_stays_cancelled(loopback: Any) -> None:
    """Cancelling is not swallowed, so that a clean stop stops."""

    async def scenario() -> None:
        arrived = asyncio.Event()

        async def arrive(_: Any, writer: asyncio.StreamWriter) -> None:
            arrived.set()
            await asyncio.Event().wait()

        async with loopback.serve(arrive) as server:
            task = asyncio.create_task(submit(server.url, deadline_s=60))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(scenario())


def test_paid_requests_never_reuse_a_connection_and_polls_do(loopback: Any) -> None:
    """A stale connection cannot make a request doubtful that nobody ever read."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, b"{}")) as server, client(server.url) as api:
            for _ in range(3):
                await api.submit(PATH, BODY, deadline_s=5)
                await api.poll("g")
        posts = {seen.port for seen in server.seen if seen.method == "POST"}
        gets = {seen.port for seen in server.seen if seen.method == "GET"}
        assert (len(posts), len(gets)) == (3, 1)

    run(scenario())


@pytest.mark.parametrize(
    "hiccup",
    [
        pytest.param((429, {"retry_after": "2"}), id="429"),
        pytest.param((500, {}), id="500"),
        pytest.param((503, {"retry_after": "Sun, 22 Nov 2026 10:00:00 GMT"}), id="503"),
        pytest.param(None, id="connection closed"),
    ],
)
def test_a_poll_is_repeated_until_it_is_answered(loopback: Any, hiccup: Any) -> None:
    """Two hiccups of any kind, and then the answer."""

    async def scenario() -> None:
        bad = loopback.raw(b"") if hiccup is None else loopback.reply(hiccup[0], b"", **hiccup[1])
        good = loopback.reply(200, b'{"status":"pending"}')
        async with loopback.serve(loopback.in_turn(bad, bad, good)) as server, client(server.url) as api:
            answer = await api.poll("gen/../1?x#y")
            assert (answer.status, answer.body) == (200, b'{"status":"pending"}')
            assert [seen.target for seen in server.seen] == ["/v2/generations/gen%2F..%2F1%3Fx%23y"] * 3
            assert server.seen[0].headers["api-key"] == KEY

    run(scenario())


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404])
def test_other_answers_to_a_poll_are_answers(loopback: Any, status: int) -> None:
    """404 above all: the API knows no such generation."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(status, b"{}")) as server, client(server.url) as api:
            assert (await api.poll("g")).status == status
            assert len(server.seen) == 1

    run(scenario())


def test_a_poll_gives_up_after_its_attempts(loopback: Any) -> None:
    """Unavailable, with the status and the request id; nothing of HTTP hangs on it."""

    async def scenario() -> None:
        reply = loopback.reply(503, b"", x_request_id="r-9")
        async with loopback.serve(reply) as server, client(server.url) as api:
            with pytest.raises(Unavailable) as caught:
                await api.poll("g")
            assert (caught.value.status, caught.value.request_id) == (503, "r-9")
            assert caught.value.__cause__ is None
            assert caught.value.__context__ is None
            assert len(server.seen) == 3

    run(scenario())


def test_a_poll_that_hangs_is_bounded(loopback: Any) -> None:
    """Each attempt has its deadline."""

    async def scenario() -> None:
        async with (
            loopback.serve(loopback.raw(b"", close=False)) as server,
            client(server.url, poll_s=0.5) as api,
        ):
            with pytest.raises(Unavailable, match=r"no answer within 0\.5 s"):
                await api.poll("g")
            assert len(server.seen) == 3

    run(scenario())


@pytest.mark.parametrize("generation", ["", ".", "..", "x" * 501])
def test_an_id_that_would_ask_for_something_else_is_refused(generation: str) -> None:
    """No poll leaves for a path that is not a generation's."""

    async def scenario() -> None:
        async with client("http://127.0.0.1:1") as api:
            with pytest.raises(Unavailable, match="cannot be the id"):
                await api.poll(generation)

    run(scenario())


def test_a_quote_asks_for_a_dry_run_and_is_retried(loopback: Any) -> None:
    """The same body to the same path, marked as a dry run."""

    async def scenario() -> None:
        quote = loopback.reply(200, b'{"usd_micros":60000}')
        flaky = loopback.in_turn(loopback.reply(503), quote)
        async with loopback.serve(flaky) as server, client(server.url) as api:
            assert json.loads((await api.quote(PATH, BODY)).body) == {"usd_micros": 60000}
            assert [seen.target for seen in server.seen] == [f"{PATH}?dry_run=true"] * 2
            assert json.loads(server.seen[1].body) == BODY

    run(scenario())


def test_a_quote_is_refused_where_asking_would_buy(loopback: Any) -> None:
    """The legacy route knows no dry run: it would run and bill, so nothing is sent."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200)) as server, client(server.url) as api:
            with pytest.raises(Refused, match="/generate"):
                await api.quote("/generate", BODY)
            assert server.seen == []

    run(scenario())


@pytest.mark.parametrize(
    "base_url",
    [
        "http://api.ideogram.ai",
        "http://10.0.0.1",
        "http://127.0.0.1.evil.example",
        "ftp://127.0.0.1",
        "api.ideogram.ai",
        "https://user:secret@api.ideogram.ai",
        "https://",
        "",
        "http://[::2]",
        "https://api.ideogram.ai\n",
    ],
)
def test_an_address_that_is_not_safe_is_refused_before_anything_is_sent(base_url: str) -> None:
    """Only https, or http to this machine, and no user names; the message shows no secret."""
    with pytest.raises(UserError, match=r"api\.base_url") as caught:
        client(base_url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("base_url", ["http://[::1]:9", "http://localhost:9", "http://127.9.9.9", "https://x.example/"])
def test_safe_addresses_are_taken(base_url: str) -> None:
    """Loopback in all its spellings, and any https host."""
    asyncio.run(client(base_url).__aexit__(None, None, None))


@pytest.mark.parametrize("key", ["", "  ", "a b", "a\nb", "schlüssel", "a\x00b"])
def test_a_key_that_cannot_be_a_header_is_refused_without_being_shown(key: str) -> None:
    """Otherwise the HTTP library would complain later, and quote it."""
    with pytest.raises(UserError) as caught:
        IdeogramClient(CONFIG, SecretStr(key))
    assert not key.strip() or key not in str(caught.value)


def test_a_key_with_a_trailing_newline_is_a_key(loopback: Any) -> None:
    """Secrets come out of files with one."""

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, b"{}")) as server:
            async with IdeogramClient(ClientConfig(server.url), SecretStr(KEY + "\n")) as api:
                await api.submit(PATH, BODY, deadline_s=5)
            assert server.seen[0].headers["api-key"] == KEY

    run(scenario())


def test_netrc_adds_nothing(loopback: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A .netrc entry for the host puts no Authorization on any request."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\ndefault login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))

    async def scenario() -> None:
        async with loopback.serve(loopback.reply(200, b"{}")) as server, client(server.url) as api:
            await api.submit(PATH, BODY, deadline_s=5)
            await api.poll("g")
            await api.download(f"{server.url}/i.png", io.BytesIO())
        assert len(server.seen) == 3
        assert not any("authorization" in seen.headers for seen in server.seen)

    run(scenario())


def _every_word(error: BaseException) -> str:
    """What a traceback that shows local variables could print, but for the frames of this file."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert any("/flows/" in frame.filename for frame in shown.stack)
    frames = [str(frame.locals) for frame in shown.stack if frame.filename != __file__]
    assert error.__cause__ is None
    assert error.__context__ is None
    return "".join(frames) + repr(error) + str(error)


def test_the_key_is_in_no_message_repr_or_traceback(loopback: Any) -> None:
    """Not even in a traceback that prints the local variables of every frame."""

    async def scenario() -> None:
        calls: list[Callable[[IdeogramClient], Awaitable[object]]] = [
            lambda api: api.submit(PATH, BODY, deadline_s=0.3),
            lambda api: api.poll("g"),
            lambda api: api.quote(PATH, BODY),
        ]
        async with loopback.serve(loopback.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as server:
            for base in (server.url, f"http://127.0.0.1:{await _free_port(loopback)}"):
                async with client(base) as api:
                    assert KEY not in repr(api) + str(vars(api))
                    for call in calls:
                        with pytest.raises(ApiTrouble) as caught:
                            await call(api)
                        assert KEY not in _every_word(caught.value)

    run(scenario())


def test_closing_twice_is_harmless() -> None:
    """A clean stop may come while one is under way."""

    async def scenario() -> None:
        async with contextlib.AsyncExitStack() as stack:
            api = await stack.enter_async_context(client("http://127.0.0.1:1"))
            await api.__aexit__(None, None, None)

    run(scenario())
