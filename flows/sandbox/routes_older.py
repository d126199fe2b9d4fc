"""The v1 and legacy routes: synchronous, and without an id to ask for later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from flows.ideogram.catalogue import CATALOGUE
from flows.sandbox.jobs import Job, instant
from flows.sandbox.orders import Order, read_legacy, read_v1
from flows.sandbox.submission import base_url, sandbox_of, submit

_NOTICE = "A newer version of this endpoint is available: see /v2/image/generate."
_LEGACY_SUCCESSOR = "/v2/image/generate/ideogram-4-5"
_V1_SUCCESSOR = "/v2/image/generate/ideogram-3"


def _route(path: str, read: Callable[[Any], Order], successor: str) -> Route:
    async def generate(request: Request) -> Response | ASGIApp:
        response = await submit(request, read, partial(_answer, request), v2=False)
        if isinstance(response, Response):
            response.headers["Link"] = f'<{successor}>; rel="successor-version"'
        return response

    endpoint: Callable[[Request], Awaitable[Response | ASGIApp]] = generate
    return Route(path, endpoint, methods=["POST"])


def _answer(request: Request, job: Job) -> dict[str, Any]:
    images = sandbox_of(request).images(job, base_url(request))
    style = job.options.get("style_type")
    if style is not None:
        images = [{**image, "style_type": style} for image in images]
    return {"created": instant(job.submitted_at), "data": images, "notice": _NOTICE}


ROUTES = [
    _route("/generate", read_legacy, _LEGACY_SUCCESSOR),
    *(
        _route(endpoint.path, partial(read_v1, endpoint), _V1_SUCCESSOR)
        for endpoint in CATALOGUE.values()
        if endpoint.version == "v1"
    ),
]
