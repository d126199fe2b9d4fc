"""The verbs that lead from a manifest to pictures: validate, plan, generate, recover."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.base import Config, Json, Limit, Manifest, Project, Select, app, example, said_again, workspace


@app.command(epilog=example("ideoflow validate", "ideoflow validate prompts.yaml --json"))
def validate(
    manifest: Annotated[list[str] | None, typer.Argument(help="Manifests; those of the settings if left out.")] = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Check manifests, settings, brands, prices and policies: every problem at once, with its place and its remedy.

    Names that one file uses and another defines are compared too: a class of configs/retention.yaml, a brand.
    """
    from flows.cli.plain import validated
    from flows.doctor.validation import validate as check

    loaded = check(workspace(project, config), tuple(manifest or ()))
    planning = said_again("plan", manifest=manifest, project=project, config=config)
    validated(loaded, planning, as_json=as_json)
    return 0


@app.command(epilog=example("ideoflow plan --select tag:hero", "ideoflow plan --config production --json"))
def plan(
    manifest: Manifest = None,
    select: Select = None,
    limit: Limit = None,
    project: Project = None,
    config: Config = None,
    quote: Annotated[bool, typer.Option("--quote", help="Ask the API for exact prices, once a day; free.")] = False,
    as_json: Json = False,
) -> int:
    """Show what would be bought, why, and for how much. Buys nothing."""
    from flows.campaign.steps import Ask, prepare
    from flows.cli import tables
    from flows.cli.quoting import quoted

    ws = workspace(project, config)
    ask = Ask(tuple(manifest or ()), tuple(select or ()), limit)
    quotation = quoted(ws, ask, quiet=as_json) if quote else None
    prepared = prepare(ws, ask)
    buying = said_again("generate", manifest=manifest, select=select, limit=limit, project=project, config=config)
    tables.plan(prepared, as_json=as_json, buying=buying, quotation=quotation)
    return 4 if prepared.doubts else 0


@app.command(epilog=example("ideoflow generate --limit 2 --yes", "ideoflow generate --config production --limit 1"))
def generate(
    manifest: Manifest = None,
    select: Select = None,
    limit: Limit = None,
    retry: Annotated[
        str | None, typer.Option("--retry", help="Buy these paid images again: withheld, lost, or both: withheld,lost.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
    prefect: Annotated[
        bool | None,
        typer.Option("--prefect/--no-prefect", help="As a Prefect flow run; by default where an API is set."),
    ] = None,
) -> int:
    """Buy what is missing, download it, store it, record it. Killed at any moment, the next run goes on."""
    from flows.campaign.steps import Ask
    from flows.cli.generating import generate as run

    again = tuple(word.strip() for word in (retry or "").split(",") if word.strip())
    ask = Ask(tuple(manifest or ()), tuple(select or ()), limit, again)
    return run(workspace(project, config), ask, config or [], yes=yes, as_json=as_json, prefect=prefect)


@app.command(epilog=example("ideoflow recover"))
def recover(
    resubmit: Annotated[
        list[str] | None, typer.Option("--resubmit", help="It did not run: buy it again. A request id, or all.")
    ] = None,
    write_off: Annotated[
        list[str] | None, typer.Option("--write-off", help="It was billed and is lost: do not buy it again.")
    ] = None,
    generation: Annotated[
        str | None, typer.Option("--generation", help="It ran: this is its generation id, fetch it.")
    ] = None,
    request: Annotated[str | None, typer.Option("--request", help="Which request --generation answers.")] = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Finish what earlier runs left, and settle requests that are in doubt."""
    import asyncio

    from flows.campaign.recovery import Verdicts
    from flows.campaign.recovery import recover as settle
    from flows.cli import tables
    from flows.cli.watching import watched

    verdicts = Verdicts(tuple(resubmit or ()), tuple(write_off or ()), generation, request)
    ws = workspace(project, config)
    with watched("recovering", quiet=as_json) as (tell, stop):
        done = asyncio.run(settle(ws, verdicts, tell, stop))
    tables.recovered(done, as_json=as_json)
    return 4 if done.doubts or done.tally.undone or done.tally.total("unfinished") else 0
