"""The settings as a page for people: `docs/configuration.md`, made from the model. Pure."""

from __future__ import annotations

from flows.documents.reference import fields, table
from flows.settings.environment import PREFIX
from flows.settings.model import Schedule, Sections

_HEAD = """\
# The configuration, key by key

Generated from the models by `make generated`; a test fails when it is stale.

Everything has a default, so a file says only what is different for you. Later ones win, key by key:

1. the defaults below;
2. [`configs/base.yaml`](../configs/base.yaml), which holds all of them with their meaning;
3. overlays, in the order they are named: `--config production --config s3`, or `IDEOFLOW_CONFIG=production,s3`. A name
   is a file of `configs/`; a path works too;
4. variables of the environment.

```yaml
# configs/mine.yaml
budget: {per_run_usd: 2.50, per_month_usd: 60}
generate: {timezone: Europe/Berlin}
storage: {assets: s3://your-brand-images/ideoflow/images}
```

```console
$ ideoflow plan --config mine
$ IDEOFLOW_BUDGET__PER_RUN_USD=1 ideoflow generate --config mine
```

A variable is `IDEOFLOW_<SECTION>__<KEY>` in capitals; lists and maps are JSON. Paths are relative to the project's
root: what `--project` or `IDEOFLOW_PROJECT` says, else the nearest folder upwards that holds `configs/`.
A key that does not exist is refused, with its line and the nearest one that does; `ideoflow validate` and
`ideoflow doctor` tell all mistakes at once.

**The API key is no setting.** It comes from `IDEOGRAM_API_KEY` alone and is refused in a file.
"""
_OTHER = """\
## The other files of `configs/`

| file | what it says |
| --- | --- |
| [`prices.yaml`](../configs/prices.yaml) | dated prices with their sources; without it, those of the program |
| [`retention.yaml`](../configs/retention.yaml) | what may be cleared up, and when; without it, nothing |
| [`audit.yaml`](../configs/audit.yaml) | what the audit tolerates: below |
| `brands/<brand>.yml` | colours, typefaces and logos of a brand: [brand.md](brand.md) |
| [`prefect.yaml`](../configs/prefect.yaml) | the flows as deployments, generated: [prefect.md](prefect.md) |
| `prompts.schema.json`, `settings.schema.json` | what editors complete by, generated |
"""
_COLUMNS = ("key", "takes", "default", "meaning")


def settings_page() -> str:
    """The page up to the settings' end, and the list of the other files."""
    return "\n".join([_HEAD, *(_section(name) for name in Sections.model_fields), _OTHER])


def _section(name: str) -> str:
    model = type(getattr(Sections(), name))
    about = " ".join((model.__doc__ or "").split())
    first = next(iter(model.model_fields))
    lines = [f"## `{name}`\n", about, "", table(_COLUMNS, fields(model))]
    if name == "schedules":
        lines.append(f"A schedule is a map of two, always said together:\n\n{table(_COLUMNS, fields(Schedule))}")
    lines.append(f"In the environment: `{PREFIX}{name.upper()}__{first.upper()}` and so on.\n")
    return "\n".join(lines)
