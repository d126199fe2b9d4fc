"""The account of a run: what it adds up to, how it exits, what it says to do next."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.budget.limits import Cap
from flows.campaign.account import FATES, account
from flows.campaign.steps import Done, Prepared
from flows.history.records import Ack, Claim, Entry, Labels, Owner
from flows.ideogram.catalogue import CATALOGUE
from flows.manifest.load import Loaded
from flows.manifest.variant import Variant
from flows.pipeline.tally import Tally
from flows.planner import Item, Plan, Verdict
from flows.report import Outcome, RunReport

NOW = datetime(2026, 11, 22, 21, 42, tzinfo=UTC)
PRICE = Decimal("0.06")
MICROS = 60_000


def variant(name: str, count: int) -> Variant:
    """A variant that wants so many images."""
    return Variant(
        name=name,
        prompt_id=name,
        axes={},
        endpoint=CATALOGUE["ideogram-3"],
        prompt=f"a {name}",
        options={},
        count=count,
    )


def item(name: str = "sea", wanted: int = 2, counted: int = 0, **more: object) -> Item:
    """A line of a plan that buys what is missing."""
    buy = max(0, wanted - counted)
    verdict = Verdict.BUY if buy else Verdict.HAVE
    made = Item(variant(name, wanted), name, verdict, "new", wanted, counted, buy, PRICE, "a page")
    return replace(made, **more)  # type: ignore[arg-type]  # replace checks the names


def entry(fingerprint: str, images: int = 1, n: int = 0, *, answered: bool = True) -> Entry:
    """An open request of a run that is gone."""
    owner = Owner("r0", "boot", "ns", 1, "0")
    claim = Claim(
        request_id=f"q-{fingerprint}-{n}",
        run_id="r0",
        fingerprint=fingerprint,
        n=n,
        images=images,
        origin="sandbox",
        model="ideogram-3",
        path="/v2/x",
        body={},
        labels=Labels(fingerprint, fingerprint, "a prompt"),
        name_template="{image_id}.{ext}",
        price_usd=PRICE,
        price_source="a page",
        claimed_at=NOW,
        owner=owner,
    )
    ack = Ack(claim.request_id, claim, NOW, 200, '{"generation_id": "g"}') if answered else None
    return Entry(fingerprint, n, claim=claim, ack=ack)


def told(
    items: tuple[Item, ...],
    counts: dict[tuple[str, str], int],
    *,
    abandoned: tuple[Entry, ...] = (),
    strays: tuple[Entry, ...] = (),
    departed: dict[str, int] | None = None,
    **done: object,
) -> RunReport:
    """The report of a run that had this plan and this tally."""
    micros = Counter({key: images * MICROS for key, images in counts.items()})
    loaded = Loaded(tuple(each.variant for each in items), files=("prompts.yaml",))
    prepared = Prepared(
        loaded,
        Plan("sandbox", items, departed or {}),
        abandoned,
        {stray.id: "no answer on record" for stray in strays},
        strays,
    )
    made = Done("run", NOW, prepared, Tally(Counter(counts), micros))
    return account(replace(made, **done), NOW + timedelta(seconds=9), "/a", "/h")  # type: ignore[arg-type]


def images(report: RunReport) -> dict[Outcome, int]:
    """How many images met each outcome."""
    return {total.outcome: total.images for total in report.totals}


@pytest.mark.parametrize(
    ("fate", "outcome", "code", "next_step"),
    [
        ("stored", Outcome.BOUGHT, 0, "look at the pictures"),
        ("withheld", Outcome.WITHHELD, 0, "look at the pictures"),
        ("elsewhere", Outcome.HAD, 0, "look at the pictures"),
        ("lost", Outcome.LOST, 4, "`ideoflow plan`"),
        ("in doubt", Outcome.IN_DOUBT, 4, "`ideoflow recover`"),
        ("unfinished", Outcome.UNFINISHED, 4, "it fetches what is paid for"),
        ("failed", Outcome.BLOCKED, 4, "see the problems above"),
        ("refused", Outcome.BLOCKED, 4, "see the problems above"),
        ("left out", Outcome.LEFT_OUT, 4, "again for what was left out"),
    ],
)
def test_every_fate_has_its_outcome(fate: str, outcome: Outcome, code: int, next_step: str) -> None:
    """Each fate of an image leads to one outcome, one exit code and one thing to do."""
    report = told((item(),), {("sea", "stored"): 1, ("sea", fate): 1 if fate != "stored" else 2})
    assert images(report)[outcome] == (2 if fate == "stored" else 1)
    assert report.exit_code == code
    assert next_step in report.next_step
    assert set(FATES) >= {fate}


def test_had_is_what_was_there() -> None:
    """What an earlier run bought is had, and costs this run nothing."""
    report = told((item(counted=2),), {})
    assert images(report) == {Outcome.HAD: 2}
    assert (report.exit_code, report.spent_usd) == (0, Decimal(0))


def test_doubt_is_told_at_once_and_once() -> None:
    """A request in doubt is exit 4 even where nothing is missing, and what it may have cost is at risk."""
    report = told((item(counted=2, in_doubt=1, verdict=Verdict.IN_DOUBT),), {})
    assert images(report) == {Outcome.IN_DOUBT: 1, Outcome.HAD: 1}
    assert (report.exit_code, report.at_risk_usd) == (4, PRICE)
    assert report.next_step.startswith("`ideoflow recover`")


def test_doubt_about_what_nobody_planned_is_told_too() -> None:
    """A prompt that was not selected or has left the manifest can be in doubt all the same."""
    report = told((item(counted=2),), {}, strays=(entry("gone", answered=False),))
    assert images(report) == {Outcome.IN_DOUBT: 1, Outcome.HAD: 2}
    assert report.exit_code == 4


def test_recovered_is_not_also_had() -> None:
    """The plan counted what the dead had paid for; the account tells of it as recovered only."""
    report = told(
        (item(wanted=3, counted=2),), {("sea", "recovered"): 1, ("sea", "stored"): 1}, abandoned=(entry("sea"),)
    )
    assert images(report) == {Outcome.RECOVERED: 1, Outcome.HAD: 1, Outcome.BOUGHT: 1}
    assert report.spent_usd == PRICE


def test_a_limit_is_not_a_failure_and_a_cap_is() -> None:
    """What somebody asked to leave out is fine; what money left out is unfinished."""
    limited = item(buy=1, left_out=1)
    report = told((limited,), {("sea", "stored"): 1})
    assert report.exit_code == 0
    assert "for the 1 left out" in report.next_step
    report = told((replace(limited, cap=Cap.RUN),), {("sea", "stored"): 1})
    assert report.exit_code == 4
    assert "budget.per_run_usd" in report.next_step


def test_a_stop_says_its_own_remedy() -> None:
    """Where a run was stopped before everything was done, its remedy comes first."""
    counts = {("sea", "stored"): 1, ("sea", "left out"): 1}
    report = told((item(),), counts, stopped="no funds", remedy="top up")
    assert (report.exit_code, report.next_step) == (4, "top up")
    report = told((item(),), {("sea", "in doubt"): 2}, stopped="stopped by SIGINT")
    assert "run `ideoflow generate` again" in report.next_step


def test_a_stop_that_leaves_nothing_undone_is_no_failure() -> None:
    """A signal that comes when everything is kept changes nothing; what could not be recorded is still undone."""
    stop = "stopped by SIGINT"
    report = told((item(),), {("sea", "stored"): 2}, stopped=stop, remedy="run again")
    assert (report.exit_code, "look at the pictures" in report.next_step) == (0, True)
    tally = Tally(Counter({("sea", "stored"): 2}), undone=True)
    report = told((item(),), {}, tally=tally, stopped=stop, remedy="run again")
    assert (report.exit_code, report.next_step) == (4, "run again")


def test_blocked_by_an_earlier_refusal_has_its_remedy() -> None:
    """A prompt refused before is told of with what to do, although this run did not ask."""
    report = told((item(buy=0, verdict=Verdict.BLOCKED),), {})
    assert images(report) == {Outcome.BLOCKED: 2}
    assert report.exit_code == 4
    assert [(trouble.subject, trouble.remedy) for trouble in report.problems] == [("sea", "change the prompt")]


def test_resubmitting_by_setting_is_told() -> None:
    """What generate.in_doubt: resubmit did of itself stands in the report."""
    report = told((item(),), {("sea", "stored"): 2}, resubmitted=2)
    assert "generate.in_doubt" in report.problems[0].happened
    assert report.exit_code == 0


def test_problems_beyond_those_kept_are_counted() -> None:
    """Of ten thousand kinds of problem a few hundred are kept; the report says how many more there were."""
    tally = Tally()
    for number in range(500):
        tally.troubles.add(f"broke {number}", "x", "look")
    report = told((item(),), {}, tally=tally)
    assert len(report.problems) == 201
    assert report.problems[-1].happened == "300 more problems"


def test_the_same_problem_is_told_once_with_the_first_names() -> None:
    """Eight requests that met the same fate are one problem; ids and links that differ do not make it another."""
    tally = Tally()
    for number in range(8):
        link = f"https://images.ideogram.ai/ephemeral/{number}.png"
        tally.troubles.add(f"not finished: {link}: the host answers HTTP 503", f"v{number % 4}", "run again")
    tally.troubles.add("withheld", "v0", "change it")
    first, second = told((item(),), {}, tally=tally).problems
    assert (first.subject, first.times) == ("v0, v1, v2 and 1 more", 8)
    assert first.happened == "not finished: …: the host answers HTTP 503"
    assert (second.subject, second.times, second.happened) == ("v0", 1, "withheld")


@st.composite
def runs(draw: st.DrawFn) -> tuple[tuple[Item, ...], dict[tuple[str, str], int], tuple[Entry, ...]]:
    """Any plan, and any tally that can come of it."""
    items, counts, abandoned = [], Counter[tuple[str, str]](), []
    for number in range(draw(st.integers(1, 4))):
        name = f"v{number}"
        wanted = draw(st.integers(1, 6))
        counted = draw(st.integers(0, wanted))
        in_doubt = draw(st.integers(0, counted))
        pending = draw(st.integers(0, counted - in_doubt))
        missing = wanted - counted
        if missing and draw(st.booleans()):
            made = item(name, wanted, counted, in_doubt=in_doubt, buy=0, verdict=Verdict.BLOCKED)
        else:
            left_out = draw(st.integers(0, missing))
            made = item(name, wanted, counted, in_doubt=in_doubt, buy=missing - left_out, left_out=left_out)
        items.append(made)
        if pending:
            abandoned.append(entry(name, pending))
        for _ in range(pending):
            counts[
                name, draw(st.sampled_from(["recovered", "withheld", "lost", "unfinished", "failed", "in doubt"]))
            ] += 1
        for _ in range(made.buy):
            fate = draw(st.sampled_from([fate for fate in FATES if fate != "recovered"]))
            counts[name, fate] += 1
    return tuple(items), dict(counts), tuple(abandoned)


@given(runs())
def test_an_account_adds_up_to_what_was_wanted(
    run: tuple[tuple[Item, ...], dict[tuple[str, str], int], tuple[Entry, ...]],
) -> None:
    """For every variant the images of all outcomes together are those that are wanted; none is told of twice."""
    items, counts, abandoned = run
    report = told(items, counts, abandoned=abandoned)
    for each in items:
        assert sum(i.count for i in report.items if i.variant == each.variant.name) == each.wanted
    assert sum(total.images for total in report.totals) == report.validated.images
    bad = {Outcome.LOST, Outcome.IN_DOUBT, Outcome.UNFINISHED, Outcome.BLOCKED} & images(report).keys()
    cut_short = any(fate == "left out" for _, fate in counts)
    assert report.exit_code == (4 if bad or cut_short else 0)
    assert report.next_step
