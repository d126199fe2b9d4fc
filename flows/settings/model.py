"""What can be set: every key with its meaning, its unit and its default, and the frozen value they make.

Knows no files and no environment. A description is what people read above the key in `configs/base.yaml`.
A key stands here only once something consumes it. Checks of single values are in `rules`; `conflicts` finds
values that are fine alone and wrong together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, SecretStr

from flows.errors import Refused
from flows.settings import rules

Url = Annotated[str, AfterValidator(rules.base_url)]
Host = Annotated[str, AfterValidator(rules.host)]
Root = Annotated[str, Field(min_length=1), AfterValidator(rules.location)]
Options = Annotated[Mapping[str, JsonValue], AfterValidator(rules.without_secrets)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Dollars = Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=6)]
Zone = Annotated[str, AfterValidator(rules.timezone)]
Template = Annotated[str, Field(max_length=500), AfterValidator(rules.name_template)]
Cron = Annotated[str, Field(max_length=200), AfterValidator(rules.cron)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Api(_Section):
    """The Ideogram API, or the sandbox that stands in for it."""

    base_url: Url = Field(
        "sandbox",
        description="`sandbox` starts the offline stand-in for the run: no key, no network, nothing billed. "
        "For real images https://api.ideogram.ai; plain http only for this machine itself. "
        "The key is never written here: export IDEOGRAM_API_KEY.",
    )
    image_hosts: tuple[Host, ...] = Field(
        ("ideogram.ai",),
        min_length=1,
        description="Hosts that pictures may be fetched from; a host covers those below it.",
    )
    max_in_flight: int = Field(
        10,
        ge=1,
        le=1000,
        description="Images in progress at once, at most; the vendor's own limit is 10 for an organisation.",
    )
    images_per_request: int = Field(
        1,
        ge=1,
        le=8,
        description="Images asked for in one request, 1 to 8. More saves neither money nor slots.",
    )
    poll_interval_s: Seconds = Field(
        1.0, description="Seconds between two looks at a generation that is still running."
    )
    job_deadline_s: Seconds = Field(
        600.0, description="Seconds a generation may take before this run stops waiting for it."
    )
    download_timeout_s: Seconds = Field(120.0, description="Seconds one download may take, retries apart.")
    max_image_mb: int = Field(64, ge=1, le=2000, description="Size of the largest picture that is accepted, in MB.")
    private: bool = Field(
        True,
        description="Ask for pictures that are not shown on the vendor's site, wherever a model takes that.",
    )


class Storage(_Section):
    """Where things are kept: folders of the project, or addresses such as s3://bucket/folder."""

    assets: Root = Field("data/images", description="The pictures, and a small record beside each.")
    history: Root = Field(
        "data/history",
        description="The Parquet history and its journal. One history is one ledger: all that buy for the "
        "same campaigns share it.",
    )
    reports: Root = Field("data/reports", description="The report of every run.")
    options: Options = Field(
        {},
        description="Options of the file system behind those addresses, in fsspec's words, as in "
        "{endpoint_url: 'https://s3.example.com', profile: brand}. No secrets: those come from the "
        "environment or the cloud's own profile. Folders of this machine take none.",
    )
    single_writer: bool = Field(
        False,
        description="A promise that only one run at a time writes this history. Needed only where the "
        "storage cannot create a file exclusively (SFTP and the like); two runs at once then pay twice.",
    )
    name_template: Template = Field(
        "{brand}/{campaign}/{prompt_id}/{date}_{variant}_{image_id}.{ext}",
        description="Names of picture files below `assets`. It must hold {image_id} and end in .{ext}.",
    )
    reserve_mb: int = Field(
        256,
        ge=0,
        description="Free space in MB that is left untouched: nothing is bought that might not fit.",
    )


class Budget(_Section):
    """What may be spent."""

    per_run_usd: Dollars | None = Field(
        Decimal("5.00"), description="Most that one run may spend, in US dollars; null is no cap."
    )
    per_day_usd: Dollars | None = Field(
        None,
        description="Most that may be spent on a day of generate.timezone, by all runs that share the history. "
        "Requests under way and in doubt count in full. Runs at the same time can overshoot it a little: by what "
        "others asked for in the 30 seconds since a run last looked, and by nothing once little is left.",
    )
    per_month_usd: Dollars | None = Field(None, description="The same for a calendar month.")
    per_run_images: int | None = Field(None, ge=1, description="Most images that one run may buy; null is no cap.")


class Generate(_Section):
    """The generate flow."""

    in_doubt: Literal["hold", "resubmit"] = Field(
        "hold",
        description="What to do about a request that was cut off before its answer was recorded: `hold` it "
        "until you decide (`ideoflow recover`), or `resubmit` it after 15 minutes and perhaps pay twice.",
    )
    timezone: Zone = Field("UTC", description="Time zone whose days and weeks `refresh` goes by, as in Europe/Berlin.")
    manifests: tuple[Root, ...] = Field(
        ("prompts.yaml",),
        min_length=1,
        description="Manifests read where none is named: files, patterns (campaigns/*.yaml), addresses.",
    )
    downloads: int = Field(6, ge=1, le=64, description="Pictures downloaded at once.")
    prices: Root = Field(
        "configs/prices.yaml",
        description="The price book. A project without a file of this default name uses the built-in one.",
    )

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.timezone)


class Retain(_Section):
    """The retain flow: what is cleaned up, and when, is in a file of its own."""

    policy: Root = Field(
        "configs/retention.yaml",
        description="The retention policy. A project without that file keeps everything.",
    )


class Schedule(_Section):
    """When a flow runs by itself. Both are always said together: an hour means nothing without its time zone."""

    cron: Cron = Field(description="Minute, hour, day, month, weekday, as cron has them.")
    timezone: Zone = Field(description="Whose hours are meant, such as Europe/Berlin.")

    def __str__(self) -> str:
        return f"{rules.cron_in_words(self.cron)}, {self.timezone}"

    def after(self, now: datetime) -> datetime:
        """The next time it comes true, in its own time zone."""
        return rules.cron_after(self.cron, now.astimezone(ZoneInfo(self.timezone)))


class Schedules(_Section):
    """What `ideoflow serve` runs when: {cron: "minute hour day month weekday", timezone: Europe/Berlin} or null."""

    generate: Schedule | None = Field(
        Schedule(cron="0 6 * * 1-5", timezone="UTC"),
        description="Buy what the manifests want and the history has not; null leaves it to people. Late, doubled or "
        "missed runs buy nothing twice.",
    )
    retain: Schedule | None = Field(
        Schedule(cron="30 2 * * *", timezone="UTC"),
        description="Carry out the retention policy. It does nothing while configs/retention.yaml has it off.",
    )
    audit: Schedule | None = Field(
        Schedule(cron="0 5 * * 1", timezone="UTC"), description="Measure the brand and publish the report."
    )
    maintain: Schedule | None = Field(
        Schedule(cron="30 3 * * *", timezone="UTC"),
        description="Finish what killed runs left, measure what is not measured, verify a seventh of the pictures: "
        "in a week all of them.",
    )


class Sandbox(_Section):
    """The offline stand-in, used while api.base_url is `sandbox`."""

    latency_s: float = Field(0.4, ge=0, le=600, description="Seconds that a picture seems to take.")
    max_in_flight: int = Field(10, ge=1, le=1000, description="Images in progress it allows before it answers 429.")
    pictures: Literal["rich", "plain"] = Field(
        "rich", description="`rich` paints posters worth looking at, `plain` flat ones in no time."
    )
    state: Root | None = Field(
        None, description="Folder of its ledger and jobs; null keeps them beside the history's journal."
    )


class Sections(_Section):
    """All that a configuration file may say. Everything has a default, so a file says only what differs."""

    api: Api = Field(default_factory=Api)
    storage: Storage = Field(default_factory=Storage)
    budget: Budget = Field(default_factory=Budget)
    generate: Generate = Field(default_factory=Generate)
    retain: Retain = Field(default_factory=Retain)
    schedules: Schedules = Field(default_factory=Schedules)
    sandbox: Sandbox = Field(default_factory=Sandbox)


class Settings(Sections):
    """The settings of one run, with the two things no file says: the project's root and the key.

    The key is left out of every dump, and shown as asterisks by everything else.
    """

    project: Path
    api_key: SecretStr | None = Field(None, exclude=True, repr=False)

    @property
    def sandboxed(self) -> bool:
        """Whether the embedded sandbox is to stand in for the API."""
        return self.api.base_url == rules.SANDBOX

    @property
    def origin(self) -> str:
        """``sandbox``, or the API's host (with its port where that is unusual): part of every fingerprint."""
        if self.sandboxed:
            return rules.SANDBOX
        url = urlsplit(self.api.base_url)
        host = url.hostname or ""
        shown = f"[{host}]" if ":" in host else host
        usual = {"https": 443, "http": 80}[url.scheme]
        return shown if url.port in {None, usual} else f"{shown}:{url.port}"

    def key(self) -> SecretStr:
        """The API key, or Refused with how to give it. Plans and validation need none: ask only to buy."""
        if self.api_key is None:
            raise Refused(
                f"no key for {self.origin}: export IDEOGRAM_API_KEY, or try it out with api.base_url: sandbox"
            )
        return self.api_key

    def locate(self, place: str) -> str:
        """An address as it stands; anything else as an absolute path, taken from the project's root."""
        return place if rules.is_address(place) else os.path.normpath(self.project / place)


def conflicts(settings: Settings) -> Iterator[tuple[tuple[str, str], str, str]]:
    """What is wrong between settings: (the two keys, message, remedy)."""
    api, storage = settings.api, settings.storage
    if api.images_per_request > api.max_in_flight:
        yield (
            ("api.images_per_request", "api.max_in_flight"),
            f"one request of {api.images_per_request} images never fits into {api.max_in_flight} in flight",
            "Lower api.images_per_request, or raise api.max_in_flight.",
        )
    roots = {
        f"storage.{name}": settings.locate(place).rstrip("/") + "/"
        for name, place in (
            ("assets", storage.assets),
            ("history", storage.history),
            ("reports", storage.reports),
        )
    }
    for (one, root), (other, place) in permutations(roots.items(), 2):
        # Two that are the same lie in each other, and are told of once.
        if root.startswith(place) and (root != place or one < other):
            relation = "are the same place" if root == place else f"lie one in the other ({root} in {place})"
            yield (
                (one, other),
                f"{one} and {other} {relation}",
                "Give each a folder of its own: what lists or cleans one must never meet the other.",
            )
