"""The image host: signed links, no key, and everything that may happen to a download."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from flows.sandbox import refusals
from flows.sandbox.faults import Fault
from flows.sandbox.links import PATH, Verdict
from flows.sandbox.service import Sandbox
from flows.sandbox.submission import sandbox_of
from flows.sandbox.wire import HungUp

_PNG = "image/png"


async def download(request: Request) -> Response | ASGIApp:
    """``GET /api/images/ephemeral/{id}.png?exp=&sig=``."""
    sandbox = sandbox_of(request)
    noted = ["downloads"]
    if "api-key" in request.headers:
        noted.append("keys_sent_to_image_host")
    sandbox.store.count("requests", noted)
    agent = request.headers.get("user-agent", "")
    if not agent or agent.startswith("Python-urllib"):
        return HTMLResponse(refusals.PAGE, 403)
    fault = sandbox.store.draw_fault("download", request.url.path)
    if fault and (refusal := _refused(fault)):
        return refusal
    image_id, query = request.path_params["image_id"], request.query_params
    match sandbox.verdict(image_id, query.get("exp", ""), query.get("sig", "")):
        case Verdict.FORGED:
            return JSONResponse({"message": "Signature does not match."}, 403)
        case Verdict.EXPIRED:
            return _expired()
        case _:
            found = sandbox.store.image(image_id)
    # A job that failed, or an image that was withheld, was never linked.
    if found is None or found[0].failure or found[1] in found[0].withheld:
        return JSONResponse({"message": "Not found."}, 404)
    job, position = found
    png = await sandbox.png(job, position, shrink=2 if fault and fault.name == "wrong_size" else 1)
    return _spoiled(sandbox, fault, png) if fault else Response(png, media_type=_PNG)


def _expired() -> Response:
    return JSONResponse({"message": "Request has expired."}, 403)


def _refused(fault: Fault) -> Response | None:
    match fault.name:
        case "expired":
            return _expired()
        case "403":
            return HTMLResponse(refusals.PAGE, 403)
        case "404":
            return JSONResponse({"message": "Not found."}, 404)
        case "500":
            return refusals.server_error()
        case "redirect":
            return RedirectResponse("http://elsewhere.invalid/picture.png", 302)
        case "html_200":
            return refusals.page()
        case "empty_200":
            return Response(b"", media_type=_PNG)
        case _:
            return None


def _spoiled(sandbox: Sandbox, fault: Fault, png: bytes) -> Response | ASGIApp:
    match fault.name:
        case "truncated":
            length = str(len(png)).encode()
            headers = [(b"content-type", _PNG.encode()), (b"content-length", length)]
            start = {"type": "http.response.start", "status": 200, "headers": headers}
            body = {"type": "http.response.body", "body": png[: len(png) // 2], "more_body": True}
            return HungUp([start, body])
        case "corrupt":
            return Response(_damaged(png, random.Random(f"{fault.rule.seed}/{fault.n}")), media_type=_PNG)
        case "slow":
            halves = _in_halves(png, partial(sandbox.pause, fault.rule.delay_s))
            return StreamingResponse(halves, media_type=_PNG, headers={"content-length": str(len(png))})
        case _:
            return Response(png, media_type=_PNG)


def _damaged(png: bytes, rng: random.Random) -> bytes:
    """A few bytes of the pixel data changed: the signature and the length still look right."""
    damaged = bytearray(png)
    for _ in range(8):
        damaged[rng.randrange(64, len(png) - 16)] ^= rng.randrange(1, 256)
    return bytes(damaged)


async def _in_halves(png: bytes, pause: Callable[[], Awaitable[None]]) -> AsyncIterator[bytes]:
    middle = len(png) // 2
    yield png[:middle]
    await pause()
    yield png[middle:]


ROUTES = [Route(PATH + "{image_id}.png", download, methods=["GET"])]
