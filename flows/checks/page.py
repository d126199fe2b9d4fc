"""What the audit can be told, as a part of a page for people: made from the policy's models and the rules. Pure."""

from __future__ import annotations

from pydantic import BaseModel

from flows.checks.policy import Lexicon, Rules
from flows.checks.rules import RULES
from flows.documents.reference import fields, table

_HEAD = """\
## `configs/audit.yaml`

Thresholds are shares and rates from 0 to 1, and differences of colour in CIEDE2000 (1 is hardly seen, 10 is a
different shade, 50 a different colour). [brand.md](brand.md) shows a brand with its own, [audit-gate.md](audit-gate.md)
how the gate fails a build.
"""
_BRANDS = """\
### `brands`

By brand, only what is different for it: `fail_on`, `palette`, `lettering` and `severities` as above, and `lexicon`.
"""
_RULES = """\
### Rules

What `severities` may name, each with the severity it has by itself.
"""
_COLUMNS = ("key", "takes", "default", "meaning")


def audit_section() -> str:
    """The section of `docs/configuration.md`."""
    checks = {name: model for name, info in Rules.model_fields.items() if (model := _section(info.annotation))}
    parts = [_HEAD, table(_COLUMNS, fields(Rules, leave_out=[*checks, "brands"]))]
    for name, model in checks.items():
        parts += [f"### `{name}`\n", " ".join((model.__doc__ or "").split()) + "\n", table(_COLUMNS, fields(model))]
    lexicon = [(f"`lexicon.{key.strip('`')}`", *more) for key, *more in fields(Lexicon)]
    rules = [
        (f"`{code}`", rule.severity.name.lower() if rule.severity else "off", rule.meaning)
        for code, rule in RULES.items()
    ]
    return "\n".join([*parts, _BRANDS, table(_COLUMNS, lexicon), _RULES, table(("rule", "severity", "means"), rules)])


def _section(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
