"""The composition root: settings in, everything that a command or a flow works with out.

Knows which class stands behind which role. Decides nothing; opens storages, clocks and the client, and starts
the embedded sandbox for as long as it is needed. What stands behind a role is imported when it is asked for:
who only validates pays for no history, and who plans for no HTTP.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from flows.assets.naming import check_template
from flows.budget.limits import Budget, Caps
from flows.budget.prices import PriceBook
from flows.budget.shipped import builtin
from flows.documents import parse
from flows.errors import InvalidInput, Problem, Refused
from flows.ids import uuid7
from flows.manifest.elsewhere import Elsewhere
from flows.manifest.load import Loaded, load
from flows.settings import Settings, load_settings
from flows.storage import Storage, open_storage, read_sources

if TYPE_CHECKING:
    from flows.brand.model import Brand
    from flows.checks.policy import AuditPolicy
    from flows.history.claims import ClaimDesk
    from flows.history.journal import Journal
    from flows.history.parts import Parts
    from flows.history.seal import Sealer
    from flows.history.spend import SpendReader
    from flows.ideogram.client import IdeogramClient
    from flows.pipeline.kit import Api, Kit, Progress, Rules, Stop
    from flows.planner import Quote
    from flows.retention.policy import Policy

MANIFEST_BYTES = 4_000_000
NO_MANIFEST = "there is no such manifest"
RETENTION_DEFAULT = "configs/retention.yaml"
PRICES_DEFAULT = "configs/prices.yaml"
BRANDS = "configs/brands"
AUDIT_POLICY = "configs/audit.yaml"


@dataclass(frozen=True)
class Workspace:
    """One project, opened. Nothing is read or made before it is asked for."""

    settings: Settings
    assets: Storage
    history: Storage
    reports: Storage
    now: Callable[[], datetime]
    uptime: Callable[[], float]
    entropy: Callable[[int], bytes]

    @property
    def parts(self) -> Parts:
        """The Parquet datasets."""
        from flows.history.parts import Parts

        return Parts(self.history, self.new_id)

    @property
    def journal(self) -> Journal:
        """The journal; Refused where the storage cannot keep one safely."""
        from flows.history.journal import Journal

        return Journal(self.history.sub(".journal"), single_writer=self.settings.storage.single_writer)

    def new_id(self) -> str:
        """A fresh id that sorts by time."""
        return uuid7(self.now(), self.entropy)

    def desk(self) -> ClaimDesk:
        """A place to read the books and take claims."""
        from flows.history.claims import ClaimDesk
        from flows.history.index import SealedIndex

        return ClaimDesk(self.journal, SealedIndex(self.parts), self._wait)

    @property
    def caps(self) -> Caps:
        """What may be spent."""
        return Caps(**self.settings.budget.model_dump())

    def spending(self) -> SpendReader:
        """What this origin has cost so far, read anew with every question."""
        from flows.history.spend import SpendReader

        settings = self.settings
        return SpendReader(self.journal, self.parts, settings.origin, settings.generate.zone, self._wait)

    def _wait(self, attempt: int) -> None:
        time.sleep(min(1.0, 0.02 * 2**attempt) * random.random())

    def manifests(self, named: Sequence[str], policy: Policy | None = None) -> Loaded:
        """The manifests of a run; `named` wins over the settings. `policy`: classes that it lacks are problems."""
        sources: dict[str, bytes] = {}
        problems: list[Problem] = []
        for place in named or self.settings.generate.manifests:
            found = read_sources(self.settings.locate(place), max_bytes=MANIFEST_BYTES)
            if not found:
                hint = "Name one with --manifest, or set generate.manifests."
                problems.append(Problem(place, 0, 0, "", NO_MANIFEST, hint))
            sources |= {self.shown(name): text for name, text in found}
        if problems:
            raise InvalidInput(problems)
        classes = tuple(one.name for one in policy.classes) if policy else None
        elsewhere = Elsewhere(self.brand_keys(), classes, policy.file if policy else "")
        return load(list(sources.items()), self.now(), self.settings.generate.zone, self.brand, elsewhere)

    def brand_keys(self) -> tuple[str, ...]:
        """The brands that have a file."""
        folder = Path(self.settings.locate(BRANDS))
        return tuple(sorted(path.stem for path in folder.glob("*.yml"))) if folder.is_dir() else ()

    def brand(self, key: str) -> Brand | None:
        """The brand of ``configs/brands/<key>.yml``, None where there is no such file."""
        from flows.brand.load import load_brand

        place = self.settings.locate(f"{BRANDS}/{key}.yml")
        found = read_sources(place, max_bytes=MANIFEST_BYTES) if Path(place).is_file() else []
        return load_brand(key, parse(found[0][1], self.shown(found[0][0]))) if found else None

    def audit_policy(self) -> AuditPolicy:
        """What the audit tolerates, by the project's file or the defaults."""
        from flows.checks.policy import AuditPolicy

        place = self.settings.locate(AUDIT_POLICY)
        found = read_sources(place, max_bytes=MANIFEST_BYTES) if Path(place).is_file() else []
        return AuditPolicy.load(parse(found[0][1], AUDIT_POLICY)) if found else AuditPolicy()

    def retention_policy(self) -> Policy:
        """The project's retention policy; one that keeps everything where there is no file of the default name."""
        from flows.retention.policy import Policy, load_policy

        place = self.settings.retain.policy
        found = read_sources(self.settings.locate(place), max_bytes=MANIFEST_BYTES)
        if not found and place != RETENTION_DEFAULT:
            raise Refused(f"there is no retention policy at {place}: mend retain.policy, or leave it out")
        return load_policy(found[0][1], place) if found else Policy(file=place)

    def prices(self) -> Callable[[str, str], Quote]:
        """(model, tier) -> today's price, by the project's price book or the built-in one."""
        place = self.settings.generate.prices
        found = read_sources(self.settings.locate(place), max_bytes=MANIFEST_BYTES)
        if not found and place != PRICES_DEFAULT:
            raise Refused(f"there is no price book at {place}: mend generate.prices, or leave it out")
        book = PriceBook.load(parse(found[0][1], place)) if found else builtin()
        today: date = self.now().astimezone(self.settings.generate.zone).date()

        def price(model: str, tier: str) -> Quote:
            return book.price(model, tier, today)

        return price

    def shown(self, name: str) -> str:
        """A path as people know it: relative to the project where it lies inside."""
        try:
            return str(Path(name).relative_to(self.settings.project))
        except ValueError:
            return name

    @property
    def quotes(self) -> Storage:
        """Where today's price quotes are kept: on this machine, beside the project's data."""
        return open_storage(str(self.settings.project / "data" / "quotes"))

    @property
    def sandbox_state(self) -> Path:
        """Where the embedded sandbox keeps its ledger: beside the journal, so that a killed run can be finished."""
        if self.settings.sandbox.state is not None:
            return Path(self.settings.locate(self.settings.sandbox.state))
        root = self.settings.locate(self.settings.storage.history)
        local = Path(root) if "://" not in root else self.settings.project / "data" / "history"
        return local / ".sandbox"

    def sealer(self, run_id: str, desk: ClaimDesk | None = None) -> Sealer:
        """What moves ended requests from the journal into the history; it shares what a `desk` knows of that."""
        from flows.history.owners import this_process
        from flows.history.seal import Sealer

        return Sealer(self.journal, self.parts, this_process(run_id), self._wait, desk.index if desk else None)

    def kit(
        self, api: Api, run_id: str, tell: Callable[[Progress], None], stop: Stop, desk: ClaimDesk | None = None
    ) -> Kit:
        """Everything a run of the pipeline works with; at a `desk` that has read the books, if there is one."""
        from flows.history.owners import this_process
        from flows.pipeline.governor import Governor
        from flows.pipeline.kit import Kit
        from flows.pipeline.queue import ByExpiry
        from flows.pipeline.till import Till

        settings = self.settings
        owner, desk = this_process(run_id), desk or self.desk()
        return Kit(
            api=api,
            assets=self.assets,
            history=self.history,
            journal=desk.journal,
            desk=desk,
            sealer=self.sealer(run_id, desk),
            governor=Governor(settings.api.max_in_flight, random.random),
            downloads=ByExpiry(settings.generate.downloads),
            till=Till(Budget(self.caps, settings.generate.zone), self.spending().read, self.now, self.uptime),
            owner=owner,
            origin=settings.origin,
            rules=rules(settings),
            now=self.now,
            uptime=self.uptime,
            entropy=self.entropy,
            random=random.random,
            tell=tell,
            stop=stop,
        )

    @contextlib.asynccontextmanager
    async def api(self) -> AsyncIterator[Api]:
        """What a run of the pipeline needs of the client."""
        async with self.client() as client:
            yield client

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[IdeogramClient]:
        """The client, with the embedded sandbox behind it where that is what the settings say."""
        with self._base_url() as base_url:
            async with self._client(base_url, self.settings.key()) as client:
                yield client

    @contextlib.asynccontextmanager
    async def links(self) -> AsyncIterator[Api]:
        """The client for fetching pictures by their links and nothing else: it has no key, and starts no sandbox."""
        async with self._client(self.links_base, SecretStr("links-need-none")) as client:
            yield client

    @property
    def links_base(self) -> str:
        """The API that links are judged by; where the sandbox stands in, some address of this machine."""
        return "http://127.0.0.1" if self.settings.sandboxed else self.settings.api.base_url

    def _client(self, base_url: str, key: SecretStr) -> IdeogramClient:
        from flows.ideogram.client import ClientConfig, IdeogramClient

        config = ClientConfig(
            base_url=base_url,
            image_hosts=self.settings.api.image_hosts,
            download_s=self.settings.api.download_timeout_s,
            download_max_bytes=self.settings.api.max_image_mb << 20,
        )
        return IdeogramClient(config, key, uptime=self.uptime)

    @contextlib.contextmanager
    def _base_url(self) -> Iterator[str]:
        if not self.settings.sandboxed:
            yield self.settings.api.base_url
            return
        from flows.sandbox.config import SandboxConfig
        from flows.sandbox.server import embedded

        sandbox = self.settings.sandbox
        config = SandboxConfig(
            state_dir=self.sandbox_state,
            max_in_flight=sandbox.max_in_flight,
            latency_s=(sandbox.latency_s * 0.5, sandbox.latency_s * 1.5),
            pictures=sandbox.pictures,
        )
        with embedded(config) as base_url:
            yield base_url


def rules(settings: Settings) -> Rules:
    """The pipeline's numbers, from the settings."""
    from flows.pipeline.kit import Rules

    return Rules(
        images_per_request=settings.api.images_per_request,
        private=settings.api.private,
        poll_first_s=settings.api.poll_interval_s,
        poll_most_s=max(5.0, settings.api.poll_interval_s) if not settings.sandboxed else settings.api.poll_interval_s,
        job_s=settings.api.job_deadline_s,
        reserve_bytes=settings.storage.reserve_mb << 20,
        name_template=settings.storage.name_template,
    )


def open_workspace(
    project: Path | None = None, configs: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Workspace:
    """The workspace of a project directory (or the one we are in), with overlays laid over its settings."""
    loaded = load_settings(project, configs, os.environ if environ is None else environ, Path.cwd())
    settings = loaded.settings
    try:
        check_template(settings.storage.name_template)
    except ValueError as error:
        source = loaded.source("storage.name_template")
        raise InvalidInput([Problem(source, 0, 0, "storage.name_template", str(error))]) from error

    def storage(place: str) -> Storage:
        address = settings.locate(place)
        return open_storage(address, settings.storage.options if "://" in address else None)

    return Workspace(
        settings=settings,
        assets=storage(settings.storage.assets),
        history=storage(settings.storage.history),
        reports=storage(settings.storage.reports),
        now=lambda: datetime.now(tz=UTC),
        uptime=_uptime,
        entropy=os.urandom,
    )


def _uptime() -> float:
    """Seconds that go on while the machine sleeps, where the system can tell."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
