"""What every paid POST goes through, in order: key, shape, safety, places, work, answer."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from flows.sandbox import refusals
from flows.sandbox.faults import Fault
from flows.sandbox.jobs import Job
from flows.sandbox.orders import Invalid, Order, parse_json
from flows.sandbox.safety import review
from flows.sandbox.service import Sandbox
from flows.sandbox.state import Busy
from flows.sandbox.wire import HungUp, gone


def sandbox_of(request: Request) -> Sandbox:
    """The sandbox that an app was built around."""
    sandbox = request.app.state.sandbox
    if not isinstance(sandbox, Sandbox):
        raise TypeError("this app was not built by build_app")
    return sandbox


def base_url(request: Request) -> str:
    """The scheme and host that this client used, for the links it will follow."""
    return str(request.base_url).rstrip("/")


def has_key(request: Request) -> bool:
    """Whether the request carries the sandbox's key."""
    given = request.headers.get("api-key", "").encode()
    return hmac.compare_digest(given, sandbox_of(request).config.api_key.encode())


async def read_body(request: Request) -> Any:
    """The JSON body; Invalid if there is none."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Invalid(f"The sandbox takes application/json bodies only, not {kind}.", schema=False)
    return parse_json(await request.body())


async def submit(
    request: Request,
    read: Callable[[Any], Order],
    answer: Callable[[Job], dict[str, Any]],
    *,
    v2: bool,
) -> Response | ASGIApp:
    """Takes a paid POST to its answer. `answer` makes the body once the job is where it can be told of."""
    sandbox = sandbox_of(request)
    if not has_key(request):
        return refusals.bad_key()
    fault = sandbox.store.draw_fault("post", request.url.path)
    if fault and (early := _turned_away(fault, sandbox.config.max_in_flight)):
        return early
    try:
        order = read(await read_body(request))
    except Invalid as error:
        return refusals.invalid(error)
    except ClientDisconnect:
        return HungUp()
    if order.ignored:
        sandbox.store.count("ignored_fields", order.ignored)
    if review(order.prompt).refused:
        return refusals.unsafe(order.body_digest, may_be_empty=v2)
    fail = "internal_error" if fault and fault.name == "job_failed" else None
    job = sandbox.run(order, request.url.path, fail=fail)
    if isinstance(job, Busy):
        return refusals.busy(sandbox.config.max_in_flight)
    if not job.asynchronous and not await sandbox.wait(job):
        return HungUp()
    if fault and fault.name == "slow":
        await sandbox.pause(fault.rule.delay_s)
    if fault and (late := spoiled(fault)):
        return late
    if not job.asynchronous and job.failure:
        return _failed(job, v2=v2)
    if not await gone(request):
        sandbox.store.acknowledge(job.id)
    return JSONResponse(answer(job))


def spoiled(fault: Fault) -> Response | ASGIApp | None:
    """An answer to work that was done, of a kind that does not say so."""
    match fault.name:
        case "500_after":
            return refusals.server_error()
        case "lost_ack":
            return HungUp()
        case "html_200":
            return refusals.page()
        case "empty_200":
            return Response(status_code=200)
        case _:
            return None


def _turned_away(fault: Fault, limit: int) -> Response | None:
    match fault.name:
        case "429":
            return refusals.busy(limit)
        case "402":
            return refusals.no_funds()
        case "401":
            return refusals.bad_key()
        case "403":
            return refusals.no_access()
        case "500_before":
            return refusals.server_error()
        case _:
            return None


def _failed(job: Job, *, v2: bool) -> Response:
    """A job that failed while its client waited. Not billed; the documentation does not show the answer."""
    if v2:
        return JSONResponse(
            {
                "generation_id": job.id,
                "generation_kind": "sampling",
                "status": "failed",
                "failure_reason": job.failure,
            }
        )
    if job.failure == "content_policy_violation":
        return refusals.unsafe(job.body_digest, may_be_empty=False)
    return refusals.server_error()
