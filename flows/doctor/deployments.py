"""What is deployed beside what should be: a schedule that was taken out of the file may still fire. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.doctor.check import Check, bad, odd, ok, skipped

FILE = "configs/prefect.yaml"
NAME = "deployments"
_DEPLOY = f"prefect deploy --prefect-file {FILE} --all"


@dataclass(frozen=True)
class Schedule:
    """When something runs: `when` is a cron line, or another kind of schedule in words. `id` is the server's."""

    when: str
    timezone: str
    active: bool = True
    id: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two schedules the same."""
        return self.when, self.timezone

    def __str__(self) -> str:
        return f"{self.when} ({self.timezone})"


@dataclass(frozen=True)
class Deployment:
    """`name` is flow/deployment. `pool` is empty for one that `ideoflow serve` runs: the settings say its schedule."""

    name: str
    entrypoint: str
    schedules: tuple[Schedule, ...] = ()
    paused: bool = False
    pool: str = ""


@dataclass(frozen=True)
class Server:
    """A Prefect server as it was found; `trouble` says why it could not be asked."""

    url: str
    version: str = ""
    ours: str = ""
    deployments: tuple[Deployment, ...] = ()
    trouble: str = ""


def wanted(data: Any) -> tuple[Deployment, ...]:
    """The deployments of a prefect.yaml, as far as it has any. ValueError where it is not of that form."""
    entries = data.get("deployments") if isinstance(data, Mapping) else None
    if not isinstance(entries, list):
        # A file of the wrong form, no wrong call.
        raise ValueError("it has no list of deployments")  # noqa: TRY004
    return tuple(_wanted(entry) for entry in entries)


def _wanted(entry: Any) -> Deployment:
    name, entrypoint = (entry.get(key) if isinstance(entry, Mapping) else None for key in ("name", "entrypoint"))
    if not isinstance(name, str) or not isinstance(entrypoint, str):
        raise ValueError("a deployment without name and entrypoint is in it")  # noqa: TRY004  as above
    pool = entry.get("work_pool")
    return Deployment(
        f"{_flow(entrypoint)}/{name}",
        entrypoint,
        tuple(_schedule(one) for one in entry.get("schedules") or () if isinstance(one, Mapping)),
        pool=str(pool.get("name") or "") if isinstance(pool, Mapping) else "",
    )


def _schedule(one: Mapping[str, Any]) -> Schedule:
    when = str(one.get("cron") or one.get("rrule") or f"every {one.get('interval')} s")
    return Schedule(when, str(one.get("timezone") or "UTC"), active=one.get("active", True) is not False)


def _flow(entrypoint: str) -> str:
    """Our flows are called as their functions are."""
    return entrypoint.replace(":", ".").rpartition(".")[2]


def ours(deployment: Deployment, known: Sequence[Deployment]) -> bool:
    """Whether a server's deployment is one of this project's program: others share a server.

    Ours are named after their module: ``flows.generate.generate``, or ``flows/generate.py:generate``.
    """
    parts = deployment.entrypoint.replace(".py:", ".").replace("\\", ".").replace("/", ".").split(".")[-3:]
    named = len(parts) == 3 and parts[0] == "flows" and parts[1] == parts[2]
    return named or deployment.name in {one.name for one in known}


def server(found: Server) -> Check:
    """Whether the configured server answers, and speaks our Prefect."""
    if found.trouble:
        return bad(
            "prefect",
            f"the server at {found.url} does not answer ({found.trouble})",
            "start it, mend PREFECT_API_URL, or go on without: `ideoflow generate --no-prefect`",
        )
    if found.version.split(".")[:2] != found.ours.split(".")[:2]:
        return odd(
            "prefect",
            f"the server at {found.url} is version {found.version}, Prefect here is {found.ours}",
            "run both in one version: the older of the two may not understand the newer",
        )
    return ok("prefect", f"the server at {found.url} answers, version {found.version}")


def compare(file: Sequence[Deployment] | None, found: Sequence[Deployment]) -> list[Check]:
    """The server's deployments beside the file's; `file` None where the project has no such file."""
    mine = [one for one in found if ours(one, file or ())]
    if file is None:
        count = f"; of ours the server has {', '.join(one.name for one in mine)}" if mine else ""
        return [skipped(NAME, f"there is no {FILE} to compare with{count}")]
    checks = [*_missing(file, mine), *(check for one in mine for check in _beside(file, one))]
    served = [one.name for one in mine if not one.pool]
    if checks:
        return checks
    words = f", {', '.join(served)} served by `ideoflow serve` by the settings" if served else ""
    return [ok(NAME, f"the server has what {FILE} says{words}")]


def _missing(file: Sequence[Deployment], found: Sequence[Deployment]) -> Iterator[Check]:
    there = {one.name for one in found}
    absent = [one.name for one in file if one.name not in there]
    if absent:
        yield odd(
            NAME, f"not on the server: {', '.join(absent)}", f"`{_DEPLOY}`, or leave it if you start runs yourself"
        )


def _beside(file: Sequence[Deployment], found: Deployment) -> Iterator[Check]:
    wish = next((one for one in file if one.name == found.name), None)
    firing = () if found.paused else tuple(one for one in found.schedules if one.active)
    if wish is None:
        if firing:
            yield bad(
                NAME,
                f"{found.name} is not in {FILE}, and still runs: {', '.join(map(str, firing))}",
                f"`prefect deployment delete {found.name}`, or put it back into the file",
            )
        return
    if not found.pool:  # `ideoflow serve` keeps these in step with the settings
        return
    keys = {one.key for one in wish.schedules if one.active}
    for extra in firing:
        if extra.key not in keys:
            yield bad(
                NAME,
                f"{found.name} still runs {extra}, which is no longer in {FILE}: deploying does not remove it",
                f"`prefect deployment schedule delete {found.name} {extra.id}`",
            )
    if found.paused and keys:
        yield odd(NAME, f"{found.name} is paused: it runs never", f"`prefect deployment schedule resume {found.name}`")
        return
    for absent in sorted(keys - {one.key for one in firing}):
        yield odd(NAME, f"{found.name} does not run {Schedule(*absent)}, as {FILE} says it should", f"`{_DEPLOY}`")
