"""Paid pictures that no history knows of."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flows.errors import Refused
from flows.history.journal import Journal
from flows.pipeline.run import run
from flows.pipeline.unrecorded import unrecorded


def test_bought_pictures_are_recognised_by_the_records_beside_them(world: Any) -> None:
    """By origin and fingerprint; what is no record of ours is passed over."""
    item = world.item(2)
    asyncio.run(run(world.kit(), world.plan(item)))
    world.assets.inner.write("notes.json", b"[1, 2]")
    world.assets.inner.write("torn.json", b'{"origin": ')
    found = unrecorded(world.assets.inner, "sandbox", {item.fingerprint})
    assert len(found) == 2
    assert unrecorded(world.assets.inner, "api.ideogram.ai", {item.fingerprint}) == []
    assert unrecorded(world.assets.inner, "sandbox", {"another"}) == []


class Overwriting:
    """A storage that says it creates exclusively, as a server that ignores the condition would."""

    exclusive = True
    url = "s3://bucket/history/.journal"

    @staticmethod
    def creates_once() -> bool:
        return False


def test_nothing_is_claimed_where_records_could_be_overwritten(world: Any) -> None:
    """Found out before the first claim; whoever promises to be alone may go on."""
    from dataclasses import replace

    lying: Any = Overwriting()
    kit = replace(world.kit(), journal=Journal(lying))
    with pytest.raises(Refused, match="If-None-Match"):
        asyncio.run(run(kit, world.plan(world.item())))
    assert world.api.posted == []
    Journal(lying, single_writer=True).prove()
