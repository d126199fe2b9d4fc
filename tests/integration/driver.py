"""A program that runs ideoflow and dies where it is told to: the crash tests' other half.

It loads the project once and then forks a process for every run it is asked for, so that a run costs
milliseconds and is still a process of its own that SIGKILL can end. Product code is not touched: a trap wraps
the storages and the client of the workspace, and pulls the plug at the n-th operation that matches.

Spoken to over stdin and stdout, one JSON object a line: ``{"start": job}`` gives ``{"pid": n}``,
``{"wait": n}`` gives ``{"status": wait status}``. What a run did is written to the job's ``result`` file.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import re
import signal
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

# Loaded here once, so that no run has to.
import pyarrow.dataset  # noqa: F401  see above
import s3fs  # noqa: F401  see above

from flows import upkeep
from flows.adoption import run as takeover
from flows.adoption.decide import Fate
from flows.campaign import steps
from flows.campaign.account import account
from flows.campaign.steps import Ask
from flows.errors import IdeoflowError
from flows.ideogram.client import IdeogramClient  # noqa: F401  see above
from flows.keeping import run as keeping
from flows.keeping.outlook import Wish
from flows.pipeline.kit import Answer, Api, Fetched, Stop
from flows.reproduction import run as again
from flows.storage import Stat, Storage
from flows.workspace import Workspace, open_workspace


@dataclass
class Trap:
    """Kills, stops or breaks this process at the `nth` operation that matches.

    `op` is a method of the storage or the client, `path` a pattern for what it is done to (a storage's path
    begins with its role, as in ``history/.journal/...``), `when` before or after. `act` is ``kill``, ``stop``
    (the clean stop that Ctrl-C asks for) or ``sent`` (kill as soon as the sandbox has taken the n-th job,
    while its answer is awaited).
    """

    op: str
    path: str
    when: str
    nth: int = 1
    act: str = "kill"
    state: str = ""
    arm: tuple[str, str] | None = None
    log: str = ""
    stop: Stop | None = None
    seen: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def at(self, op: str, path: str, when: str) -> None:
        if op == "create" and self.log and "/.journal/" in path:
            with self.lock, Path(self.log).open("a", encoding="utf-8") as log:
                log.write(f"{when} {path.rpartition('/')[2]}\n")
        if self.arm is not None:
            if op == self.arm[0] and when == "after" and re.search(self.arm[1], path):
                self.arm = None
            return
        if op != self.op or when != self.when or not re.search(self.path, path):
            return
        with self.lock:
            self.seen += 1
            if self.seen == self.nth:
                self.spring()

    def spring(self) -> None:
        if self.act == "stop":
            assert self.stop is not None
            self.stop.ask("stopped by a signal")
            return
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # the signal needs a moment; nothing may happen in it

    def watch(self) -> None:
        """Kill once the sandbox has taken so many jobs, whatever we are doing then."""
        before = _jobs(self.state)

        def look() -> None:
            while _jobs(self.state) < before + self.nth:
                time.sleep(0.002)
            self.spring()

        threading.Thread(target=look, daemon=True).start()


def _jobs(state: str) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True, timeout=10)) as db:
        return int(db.execute("SELECT count(*) FROM jobs").fetchone()[0])


class TrappedStorage(Storage):
    """A storage that tells the trap before and after everything it does."""

    def __init__(self, inner: Storage, role: str, trap: Trap) -> None:
        self._inner, self._role, self._trap = inner, role, trap
        self.url, self.exclusive = inner.url, inner.exclusive

    def _do(self, op: str, path: str, act: Callable[[], Any]) -> Any:
        self._trap.at(op, f"{self._role}/{path}", "before")
        result = act()
        self._trap.at(op, f"{self._role}/{path}", "after")
        return result

    def read(self, path: str) -> bytes | None:
        found: bytes | None = self._do("read", path, lambda: self._inner.read(path))
        return found

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes | None]:
        paths = list(paths)
        for path in paths:
            self._trap.at("read", f"{self._role}/{path}", "before")
        return self._inner.read_many(paths)

    def write(self, path: str, data: bytes | BinaryIO) -> None:
        self._do("write", path, lambda: self._inner.write(path, data))

    def create(self, path: str, data: bytes) -> bool:
        return bool(self._do("create", path, lambda: self._inner.create(path, data)))

    def list(self, prefix: str = "") -> list[Stat]:
        found: list[Stat] = self._do("list", prefix, lambda: self._inner.list(prefix))
        return found

    def stat(self, path: str) -> Stat | None:
        found: Stat | None = self._do("stat", path, lambda: self._inner.stat(path))
        return found

    def delete(self, paths: Iterable[str]) -> None:
        # One at a time, so that a kill in the middle of dropping is possible.
        for path in paths:
            self._do("delete", path, partial(self._inner.delete, [path]))

    def now(self) -> datetime:
        return self._inner.now()

    def sub(self, path: str) -> TrappedStorage:
        return TrappedStorage(self._inner.sub(path), f"{self._role}/{path}", self._trap)

    def arrow(self) -> tuple[Any, str]:
        return self._inner.arrow()

    def free_bytes(self) -> int | None:
        return self._inner.free_bytes()

    def keeps_deleted(self) -> str | None:
        return self._inner.keeps_deleted()


class TrappedApi:
    """A client that does the same."""

    def __init__(self, inner: Api, trap: Trap) -> None:
        self._inner, self._trap = inner, trap

    async def submit(self, path: str, body: Mapping[str, Any], *, deadline_s: float) -> Answer:
        self._trap.at("submit", path, "before")
        answer = await self._inner.submit(path, body, deadline_s=deadline_s)
        self._trap.at("submit", path, "after")
        return answer

    async def poll(self, generation_id: str) -> Answer:
        self._trap.at("poll", generation_id, "before")
        answer = await self._inner.poll(generation_id)
        self._trap.at("poll", generation_id, "after")
        return answer

    async def download(self, url: str, into: BinaryIO) -> Fetched:
        self._trap.at("download", url, "before")
        fetched = await self._inner.download(url, into)
        self._trap.at("download", url, "after")
        return fetched


@dataclass(frozen=True)
class TrappedWorkspace(Workspace):
    """The product's own workspace, but for the trap around its edges."""

    trap: Trap

    @contextlib.asynccontextmanager
    async def api(self) -> AsyncIterator[Api]:
        async with super().api() as api:
            yield TrappedApi(api, self.trap)


def trapped(ws: Workspace, trap: Trap) -> Workspace:
    """The same workspace with a trap in it."""
    return TrappedWorkspace(
        settings=ws.settings,
        assets=TrappedStorage(ws.assets, "assets", trap),
        history=TrappedStorage(ws.history, "history", trap),
        reports=TrappedStorage(ws.reports, "reports", trap),
        now=ws.now,
        uptime=ws.uptime,
        entropy=ws.entropy,
        trap=trap,
    )


async def generate(ws: Workspace, ask: Ask, stop: Stop) -> dict[str, Any]:
    """What the command does: plan, carry out, account."""
    prepared = await asyncio.to_thread(steps.prepare, ws, ask)
    done = await steps.carry_out(ws, prepared, ask, lambda _: None, stop)
    report = account(done, ws.now(), ws.assets.url, ws.history.url)
    counts: dict[str, int] = {}
    for (_, fate), images in done.tally.counts.items():
        counts[fate] = counts.get(fate, 0) + images
    return {
        "exit": report.exit_code,
        "counts": counts,
        "bought": prepared.plan.buy,
        "next": report.next_step,
        "stopped": done.stopped,
        "troubles": [f"{t.happened} / {t.remedy}" for t in done.tally.troubles],
    }


async def reproduce(ws: Workspace, image: str, stop: Stop) -> dict[str, Any]:
    """The same for one image that is to be made again."""
    outlook = await asyncio.to_thread(again.prepare, ws, again.Ask(image))
    report, _, fresh = await again.reproduce(ws, outlook, tell=lambda _: None, stop=stop)
    return {"exit": report.exit_code, "bought": outlook.prepared.plan.buy, "images": list(fresh)}


async def retain(ws: Workspace, stop: Stop, max_fraction: float) -> dict[str, Any]:
    """What `retain --apply` does."""
    report, _ = await keeping.retain(ws, Wish(apply=True, max_fraction=max_fraction), stop=stop)
    return {
        "exit": report.exit_code,
        "counts": {name: found.images for name, found in report.sums.items()},
        "notes": list(report.notes),
        "troubles": [f"{one.subject} / {one.happened}" for one in report.problems],
    }


async def compact(ws: Workspace, stop: Stop) -> dict[str, Any]:
    """What `maintain --compact` does."""
    done, _ = await upkeep.maintain(ws, compact=True, stop=stop)
    assert done.compacted is not None
    return dataclasses.asdict(done.compacted)


async def take_over(ws: Workspace, collection: str, stop: Stop) -> dict[str, Any]:
    """What the import command does with --apply."""
    found = await asyncio.to_thread(takeover.survey, ws, takeover.Ask(collection))
    done = await takeover.carry_out(ws, found, lambda _: None, stop)
    return {
        "taken": len(done.of(Fate.TAKE)),
        "had": len(found.of(Fate.HAVE)) + len(done.of(Fate.HAVE)),
        "finished": done.finished,
        "stopped": done.stopped,
        "unsealed": done.unsealed,
    }


def work(job: Mapping[str, Any]) -> int:
    """One run, from its settings to its result file."""
    os.environ.update(job["environ"])
    stop = Stop()
    ws = open_workspace(Path(job["project"]), (), os.environ)
    if job.get("trap"):
        trap = Trap(**job["trap"], stop=stop)
        if trap.act == "sent":
            trap.watch()
        ws = trapped(ws, trap)
    ask = Ask(tuple(job.get("manifests", ())), (), job.get("limit"), tuple(job.get("retry", ())))
    try:
        if job.get("reproduce"):
            verb = reproduce(ws, job["reproduce"], stop)
        elif job.get("collection"):
            verb = take_over(ws, job["collection"], stop)
        elif job.get("compact"):
            verb = compact(ws, stop)
        else:
            verb = retain(ws, stop, job["retain"]) if "retain" in job else generate(ws, ask, stop)
        result = asyncio.run(verb)
    except IdeoflowError as error:
        result = {"exit": error.exit_code, "error": str(error), "kind": type(error).__name__, "counts": {}}
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")
    return 0


def child(job: Mapping[str, Any]) -> int:
    """What a forked process does; its words go to the job's log."""
    log = os.open(job["result"] + ".log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        return work(job)
    except BaseException:  # noqa: BLE001  a fork must never return into the server's loop
        traceback.print_exc()
        sys.stderr.flush()
        return 70


def main() -> None:
    """Serve until stdin ends."""
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            pid = os.fork()
            if pid == 0:
                os._exit(child(order["start"]))
            answer = {"pid": pid}
        else:
            answer = {"status": os.waitpid(order["wait"], 0)[1]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
