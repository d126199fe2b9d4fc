"""The ASGI app: the routes around one sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from flows.sandbox import refusals, routes_account, routes_control, routes_images, routes_older, routes_v2
from flows.sandbox.config import SandboxConfig
from flows.sandbox.service import Sandbox
from flows.sandbox.wire import Stamp


def build_app(config: SandboxConfig) -> Starlette:
    """An app over the state in `config.state_dir`, which is let go of when the app's lifespan ends."""
    sandbox = Sandbox(config)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            sandbox.close()

    app = Starlette(
        routes=[
            *routes_v2.ROUTES,
            *routes_older.ROUTES,
            *routes_images.ROUTES,
            *routes_account.ROUTES,
            *routes_control.ROUTES,
        ],
        middleware=[Middleware(Stamp, clock=config.clock, entropy=config.entropy)],
        exception_handlers={404: _not_found},
        lifespan=lifespan,
    )
    app.state.sandbox = sandbox
    return app


async def _not_found(_request: Request, _error: Exception) -> Response:
    return refusals.problem(404, "No such route.")
