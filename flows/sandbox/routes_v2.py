"""The v2 routes: submit or quote, and poll."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from flows.ideogram.catalogue import CATALOGUE, Endpoint
from flows.sandbox import refusals
from flows.sandbox.jobs import Job, instant
from flows.sandbox.orders import Invalid, read_v2
from flows.sandbox.prices import price_micros
from flows.sandbox.submission import base_url, has_key, read_body, sandbox_of, spoiled, submit


async def generate(request: Request) -> Response | ASGIApp:
    """``POST /v2/image/generate/{model}``, with ``?dry_run=true`` a price quote."""
    endpoint = CATALOGUE.get(request.path_params["model"])
    if endpoint is None or endpoint.version != "v2":
        return refusals.problem(404, "No such model.") if has_key(request) else refusals.bad_key()
    if request.query_params.get("dry_run", "false").lower() in ("true", "1"):
        return await _quote(request, endpoint)
    sandbox = sandbox_of(request)

    def answer(job: Job) -> dict[str, Any]:
        told = {"generation_id": job.id, "generation_kind": "sampling", "seed": job.seed}
        return told if job.asynchronous else {**told, "data": sandbox.images(job, base_url(request))}

    return await submit(request, lambda body: read_v2(endpoint, body), answer, v2=True)


async def poll(request: Request) -> Response | ASGIApp:
    """``GET /v2/generations/{id}``."""
    sandbox = sandbox_of(request)
    if not has_key(request):
        return refusals.bad_key()
    sandbox.store.count("requests", ["polls"])
    fault = sandbox.store.draw_fault("poll", request.url.path)
    if fault:
        match fault.name:
            case "429_poll":
                return refusals.slow_down(fault.rule.retry_after_s)
            case "500_poll":
                return refusals.server_error()
            case "404_poll":
                return refusals.problem(404, "No generation of that id.")
            case "slow":
                await sandbox.pause(fault.rule.delay_s)
            case _:
                if answer := spoiled(fault):
                    return answer
    job = sandbox.store.job(request.path_params["generation_id"])
    # The legacy route never tells an id, so nobody can ask for one of its jobs.
    if job is None or not job.path.startswith("/v2/"):
        return refusals.problem(404, "No generation of that id.")
    status = job.status(sandbox.config.clock())
    told: dict[str, Any] = {
        "generation_id": job.id,
        "generation_kind": "sampling",
        "status": "pending" if status == "running" else status,
        "created": instant(job.submitted_at),
        "seed": job.seed,
    }
    if status == "failed":
        told["failure_reason"] = job.failure
    if status == "completed":
        images = sandbox.images(job, base_url(request))
        told["response_type"] = "url"
        told["data"] = [{"object_type": "image.generation", **image} for image in images]
    return JSONResponse(told)


async def _quote(request: Request, endpoint: Endpoint) -> Response:
    """A quote checks key and shape, but neither safety nor places, and bills nothing."""
    if not has_key(request):
        return refusals.bad_key()
    try:
        order = read_v2(endpoint, await read_body(request))
    except Invalid as error:
        return refusals.invalid(error)
    micros = price_micros(endpoint, order.options, order.images)
    sandbox_of(request).store.count("requests", ["quotes"])
    return JSONResponse(
        {
            "object": "price_quote",
            "billing_identifier": f"image/generate/{endpoint.model}",
            "quantity": order.images,
            "usd_micros": micros,
            "credit_millis": micros // 10,
            "qualifier": "exact",
        }
    )


ROUTES = [
    Route("/v2/image/generate/{model}", generate, methods=["POST"]),
    Route("/v2/generations/{generation_id}", poll, methods=["GET"]),
]
