"""The second act: buy a campaign with a process that is killed again and again, then count by the ledger.

The oracle is the sandbox's own ledger of what it billed, never our own books.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.campaign.recovery import Verdicts, doubts, recover
from flows.campaign.steps import Ask, prepare
from flows.demo.offline import offline
from flows.history.queries import find
from flows.ideogram.catalogue import request_body
from flows.ids import digest
from flows.pipeline.kit import Stop
from flows.planner import Item
from flows.sandbox.state import read_ledger
from flows.workspace import Workspace, open_workspace

MANIFEST = Path(__file__).with_name("encore.yaml")
KILLS = 5
LONGEST_S = 60


@dataclass(frozen=True)
class Count:
    """What was wanted, and what the ledger and the storage say became of it."""

    wanted: int
    paid: int
    kept: int
    paid_twice: int

    def __str__(self) -> str:
        return f"wanted {self.wanted} · paid {self.paid} · kept {self.kept} · paid twice {self.paid_twice}"


def settings_of(folder: Path) -> dict[str, str]:
    """The environment that keeps the encore in a folder of its own, on a sandbox of its own."""
    return offline(folder) | {
        "IDEOFLOW_API__POLL_INTERVAL_S": "0.2",
        # Half the place in flight and slower pictures: something is under way at every kill.
        "IDEOFLOW_API__MAX_IN_FLIGHT": "4",
        "IDEOFLOW_SANDBOX__LATENCY_S": "0.8",
        "IDEOFLOW_GENERATE__MANIFESTS": json.dumps([str(MANIFEST)]),
    }


def encore(project: Path, folder: Path, say: Callable[[str], None], rng: random.Random, *, most: int = KILLS) -> Count:
    """Play it: kill, run again, settle what is in doubt by looking in the ledger, and count."""
    ws = open_workspace(project, (), settings_of(folder))
    if not prepare(ws, Ask()).plan.buy:
        say("  it is bought already: nothing to kill. `ideoflow demo --fresh` plays it again")
    kills = 0
    while kills < most and prepare(ws, Ask()).plan.buy:
        if not _killed(project, ws, folder, rng.uniform(0.0, 1.2)):
            break
        kills += 1
        ledger = read_ledger(ws.sandbox_state)
        asked = sum(entry["images"] for entry in ledger["requests"])
        there = sum(not stat.path.endswith(".json") for stat in ws.assets.list())
        say(f"  SIGKILL {kills}   asked for {asked:>2} images so far, {there:>2} on disk")
    _settle(ws, say)
    _finished(project, folder)
    return _count(ws)


def _start(project: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "flows.cli", "generate", "--yes", "--no-prefect", "--project", str(project)]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("IDEOFLOW_", "IDEOGRAM_"))}
    # A kill leaves half a sentence on the terminal at best, so the victims work in silence.
    return subprocess.Popen(  # noqa: S603  our own interpreter and our own module
        command,
        env=env | settings_of(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _killed(project: Path, ws: Workspace, folder: Path, grace_s: float) -> bool:
    """Start a run and kill it a moment after it has begun to spend; False when it got to its end first."""
    before = _spending(ws)
    victim = _start(project, folder)
    deadline = time.monotonic() + LONGEST_S
    while victim.poll() is None and _spending(ws) == before and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(grace_s)
    alive = victim.poll() is None
    if alive:
        os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    return alive


def _spending(ws: Workspace) -> int:
    """How many requests the till has seen."""
    return len(read_ledger(ws.sandbox_state)["requests"]) if ws.sandbox_state.exists() else 0


def _finished(project: Path, folder: Path) -> None:
    """Run to the end, as often as it takes (a prompt that fails by chance is tried again by the next run)."""
    for _ in range(3):
        if _start(project, folder).wait() == 0:
            return


def _settle(ws: Workspace, say: Callable[[str], None]) -> None:
    """What a person does about a doubt: look in the account whether it ran, and say so."""
    for doubt in doubts(ws):
        found = _unclaimed(ws, doubt.request_id)
        if found:
            verdict, words = Verdicts(generation=found, request=doubt.request_id), "it ran: fetched"
        else:
            verdict, words = Verdicts(resubmit=(doubt.request_id,)), "it never ran: to be bought"
        asyncio.run(recover(ws, verdict, lambda _: None, Stop()))
        say(f"  in doubt    {doubt.variant}: looked in the ledger, {words}")


def _unclaimed(ws: Workspace, request_id: str) -> str | None:
    """A generation in the ledger with this request's body that our books know nothing of."""
    live = {entry.request.request_id: entry for entry in ws.desk().open(()).live if entry.request}
    claim = live[request_id].request
    rows = ws.parts.read(ws.parts.listing("requests"), "requests", ["generation_id"])
    known = {str(value) for value in rows.column("generation_id").to_pylist()}
    answered = "".join(entry.ack.body for entry in live.values() if entry.ack)
    for entry in read_ledger(ws.sandbox_state)["requests"]:
        generation = entry["generation_id"]
        same = claim is not None and entry["body_digest"] == digest(dict(claim.body))
        if same and generation not in known and generation not in answered:
            return generation
    return None


def _count(ws: Workspace) -> Count:
    items = prepare(ws, Ask()).plan.items
    wanted: Counter[str] = Counter()
    for item in items:
        wanted[_body_digest(item)] += item.wanted
    billed: Counter[str] = Counter()
    for entry in read_ledger(ws.sandbox_state)["requests"]:
        if entry["billed"]:
            billed[entry["body_digest"]] += entry["images"]
    twice = sum((billed - wanted).values())
    kept = sum(bool(row["has_local_copy"]) for row in find(ws.parts, ws.assets).rows)
    return Count(sum(wanted.values()), sum(billed.values()), kept, twice)


def _body_digest(item: Item) -> str:
    variant = item.variant
    body = request_body(
        variant.endpoint, prompt=variant.prompt, options=variant.options, seed=variant.seed, images=1, private=True
    )
    return digest(body)
