"""One sandbox at work: accepts orders, tells how they stand, serves their pictures. Knows no HTTP."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from typing import Any

from flows.ideogram.catalogue import CATALOGUE
from flows.sandbox import links
from flows.sandbox.config import SandboxConfig
from flows.sandbox.faults import fraction
from flows.sandbox.gallery import Gallery
from flows.sandbox.jobs import Job
from flows.sandbox.magic import final_prompt
from flows.sandbox.orders import Order
from flows.sandbox.prices import price_micros
from flows.sandbox.renderer import Picture
from flows.sandbox.safety import review
from flows.sandbox.state import Busy, Store

_TICK_S = 0.05


class Sandbox:
    """What the routes share."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.store = Store.open(config.state_dir, config.clock, config.entropy)
        if config.faults is not None:
            self.store.set_faults(config.faults, keep_progress=True)
        self.gallery = Gallery(config.pictures)
        self._secret = self.store.secret()
        self._stopping = False

    def stop(self) -> None:
        """Lets go of everyone who waits, so that the server can end. From any thread."""
        self._stopping = True

    def close(self) -> None:
        """Stops the threads and lets go of the state."""
        self.gallery.close()
        self.store.close()

    def run(self, order: Order, path: str, *, fail: str | None = None) -> Job | Busy:
        """Starts the work of an order, if there is room. From here on it will be done, and billed."""

        def make(ordinal: int, now: float) -> Job:
            return self._job(order, path, ordinal, now, fail)

        return self.store.submit(order.body_digest, self.config.max_in_flight, make)

    async def wait(self, job: Job) -> bool:
        """Returns when the job is done, or with False when the server stops before that.

        In small steps, because nothing tells when an injected clock has moved.
        """
        while (left := job.due_at - self.config.clock()) > 0 and not self._stopping:
            await self._tick(left)
        return left <= 0

    async def pause(self, seconds: float) -> None:
        """Holds an answer back for so long in real time, or until the server stops."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stopping:
            await self._tick(left)

    @staticmethod
    async def _tick(left: float) -> None:
        await asyncio.sleep(min(left, _TICK_S))

    def images(self, job: Job, base_url: str) -> list[dict[str, Any]]:
        """The images of a completed job as every answer lists them."""
        signed_at = self.config.clock() if self.config.renew_links else job.due_at
        expires = int(signed_at + self.config.link_ttl_s)
        return [
            {
                "url": None if withheld else base_url + links.signed_path(self._secret, image_id, expires),
                "prompt": job.final_prompt,
                "resolution": f"{job.width}x{job.height}",
                **({"upscaled_resolution": _upscaled(job)} if job.scale > 1 else {}),
                "is_image_safe": not withheld,
                "seed": _seed_of(job, position),
            }
            for position, image_id in enumerate(job.image_ids)
            for withheld in (position in job.withheld,)
        ]

    def verdict(self, image_id: str, exp: str, sig: str) -> links.Verdict:
        """What a link is worth now."""
        return links.verify(self._secret, image_id, exp, sig, self.config.clock())

    async def png(self, job: Job, position: int, *, shrink: int = 1) -> bytes:
        """The bytes of one image; always the same. `shrink` is for the fault that serves another size.

        Drawn from what the answer says was drawn: who sends that final prompt and seed again gets the same pixels.
        """
        picture = Picture(
            job.final_prompt,
            {"model": job.model, **job.options},
            _seed_of(job, position),
            job.width // shrink,
            job.height // shrink,
            job.scale,
            transparent=CATALOGUE[job.model].transparent,
        )
        return await self.gallery.png(f"{job.image_ids[position]}/{shrink}", picture)

    def _job(self, order: Order, path: str, ordinal: int, now: float, fail: str | None) -> Job:
        """The row of an accepted order. All that looks random follows from the body and how often it came."""
        draw = (self.config.seed, order.body_digest, ordinal)
        seed = order.seed if order.seed is not None else int(fraction("seed", *draw) * 2**31)
        low, high = self.config.latency_s
        safety = review(order.prompt)
        return Job(
            id=self._id("generation", *draw),
            path=path,
            model=order.endpoint.model,
            body_digest=order.body_digest,
            prompt=order.prompt,
            final_prompt=_rewritten(order, seed),
            options=order.options,
            seed=seed,
            images=order.images,
            image_ids=tuple(self._id("image", position, *draw) for position in range(order.images)),
            withheld=safety.withheld,
            width=order.sizing.width,
            height=order.sizing.height,
            scale=order.sizing.scale,
            micros=price_micros(order.endpoint, order.options, order.images),
            asynchronous=order.asynchronous,
            submitted_at=now,
            due_at=now + low + (high - low) * fraction("latency", *draw),
            failure=fail or safety.failure,
        )

    def _id(self, *parts: object) -> str:
        """22 letters and digits, unguessable without the secret and the same for the same state."""
        text = "\x1f".join(str(part) for part in parts).encode()
        mark = hashlib.blake2b(text, key=self._secret, digest_size=16).digest()
        return base64.b64encode(mark, altchars=b"aZ").decode().rstrip("=")


def _seed_of(job: Job, position: int) -> int:
    return (job.seed + position) % 2**31


def _upscaled(job: Job) -> str:
    return f"{job.width * job.scale}x{job.height * job.scale}"


def _rewritten(order: Order, seed: int) -> str:
    mode = order.options.get("magic_prompt", order.options.get("magic_prompt_option", "auto"))
    return final_prompt(order.prompt, str(mode), structured=order.endpoint.json_prompts, seed=seed)
