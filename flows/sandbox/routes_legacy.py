"""The legacy route: synchronous, the model named in the body, no id to ask for later."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from flows.sandbox.jobs import Job, instant
from flows.sandbox.orders import read_legacy
from flows.sandbox.submission import base_url, sandbox_of, submit

_NOTICE = "A newer version of this endpoint is available: see /v2/image/generate."
_SUCCESSOR = '</v2/image/generate/ideogram-4-5>; rel="successor-version"'


async def generate(request: Request) -> Response | ASGIApp:
    """``POST /generate`` with an ``image_request``."""
    sandbox = sandbox_of(request)

    def answer(job: Job) -> dict[str, Any]:
        images = sandbox.images(job, base_url(request))
        style = job.options.get("style_type")
        if style is not None:
            images = [{**image, "style_type": style} for image in images]
        return {"created": instant(job.submitted_at), "data": images, "notice": _NOTICE}

    response = await submit(request, read_legacy, answer, v2=False)
    if isinstance(response, Response):
        response.headers["Link"] = _SUCCESSOR
    return response


ROUTES = [Route("/generate", generate, methods=["POST"])]
