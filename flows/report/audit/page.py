"""The audit as HTML: files that need nothing but themselves, readable without their script.

Every text is escaped by Jinja2's autoescape; what is marked safe here is our own: style, script, charts. Same audit,
same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from importlib import resources
from io import BytesIO
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from flows.checks.finding import Finding, Ran, Severity
from flows.checks.rules import RULES
from flows.checks.subject import Image
from flows.report import words
from flows.report.audit.charts import score_trend, spend_bars
from flows.report.audit.evidence import Evidence, evidence
from flows.report.audit.fonts import faces
from flows.report.audit.model import Audit, Cap, Since, Tone
from flows.report.audit.sheets import Sheet
from flows.report.audit.standing import DEFINITION, by_brand, by_image, changes, counts
from flows.report.audit.wording import about_money, day, facts, gate, lead, money, short_day, verdict, worst

_PACKAGE = "flows.report.audit"
_JOINT = re.compile(r"([@,/])")


@dataclass(frozen=True)
class Shot:
    """A thumbnail: WebP bytes, and the sides of the whole picture."""

    width: int
    height: int
    webp: bytes


@dataclass(frozen=True)
class _Stored:
    """A thumbnail of one file, referred to there by `id`. Its text is made where it is written, and let go."""

    id: str
    shot: Shot

    @property
    def width(self) -> int:
        return self.shot.width

    @property
    def height(self) -> int:
        return self.shot.height

    @property
    def data(self) -> Markup:
        return Markup(base64.b64encode(self.shot.webp).decode())  # noqa: S704  letters and digits, + and / and =


@dataclass(frozen=True)
class _Shown:
    """A finding with all that its card says."""

    finding: Finding
    since: str
    evidence: Evidence
    images: tuple[Image, ...]
    name: str
    ids: frozenset[str]


@dataclass(frozen=True)
class _Rule:
    """The findings under one rule; `remedy` is what to do about each of them, where that is the same."""

    code: str
    meaning: str
    remedy: str
    findings: tuple[_Shown, ...]


def render(
    audit: Audit,
    sheets: Sequence[Sheet],
    names: Sequence[str],
    thumbnails: Callable[[frozenset[str]], Mapping[str, Shot]],
) -> Iterator[bytes]:
    """Each sheet as the bytes of a file; `names` are the addresses of all of them, as links among them spell them.

    `thumbnails` is asked for those of one file at a time, so that memory does not grow with their number.
    """
    shared = _shared(audit)
    for sheet in sheets:
        # Nothing of a file is held here: the next one is drawn when the memory of this one is free again.
        yield _one(audit, sheet, sheets, names, _store(thumbnails(sheet.digests)), shared)


def _store(found: Mapping[str, Shot]) -> Mapping[str, _Stored]:
    return {digest: _Stored(f"t{number}", shot) for number, (digest, shot) in enumerate(sorted(found.items()))}


def _one(
    audit: Audit,
    sheet: Sheet,
    sheets: Sequence[Sheet],
    names: Sequence[str],
    store: Mapping[str, _Stored],
    shared: Mapping[str, Any],
) -> bytes:
    template = _environment().get_template("page.html.j2")
    groups = _groups(sheet, shared)
    # Piece by piece: as one text it would take two bytes or four for every letter, most of them of thumbnails.
    drawn = BytesIO()
    for piece in template.generate(
        **shared,
        sheet=sheet,
        sheets=sheets,
        names=names,
        groups=groups,
        anchors=frozenset(_anchor(severity, rule.code) for severity, rules in groups for rule in rules),
        here=frozenset(finding.finding_id for finding in sheet.findings),
        options=_options(sheet),
        shots=store,
        store=store.values(),
        total_pictures=sum(len(one.pictures) for one in sheets),
        title=f"Brand audit, {day(audit.at)}" + (f" ({sheet.number} of {len(sheets)})" if len(sheets) > 1 else ""),
    ):
        drawn.write(piece.encode())
    return drawn.getvalue()


def _shared(audit: Audit) -> dict[str, Any]:
    """What all files of an audit have in common."""
    changed = changes(audit)
    css, script = _asset("page.css"), _asset("page.js")
    by_brand_name: defaultdict[str | None, list[Finding]] = defaultdict(list)
    for finding in audit.findings:
        by_brand_name[finding.brand].append(finding)
    return {
        "audit": audit,
        "compared": bool(audit.past),
        "verdict": verdict(audit),
        "lead": lead(audit, changed),
        "gate": gate(audit),
        "worst": [
            (severity, _anchor(severity, code), _meaning(code), number) for severity, code, number in worst(audit)
        ],
        "anchor": _anchor,
        "facts": facts(audit, changed),
        "scores": by_brand(audit),
        "definition": DEFINITION,
        "brand_counts": {name: counts(by_brand_name.get(name, ())) for name in [one.brand for one in by_brand(audit)]},
        "palettes": {
            key: [Tone(colour.hex, 1 / len(brand.colours)) for colour in brand.colours]
            for key, brand in audit.brands.items()
            if brand.colours
        },
        "trend": score_trend(audit),
        "bars": spend_bars(audit.spend.days) if audit.spend else None,
        "changed": {since.value: findings for since, findings in changed.items()},
        "since": {finding.finding_id: since.value for since in (Since.NEW, Since.STILL) for finding in changed[since]},
        "images": {image.image_id: image for image in audit.images},
        "by_image": by_image(audit),
        "counts": counts,
        "open_counts": partial(_open_counts, audit),
        "severities": sorted(Severity, reverse=True),
        "nothing": _nothing(audit),
        "fonts": Markup(faces()),  # noqa: S704  our own
        "css": Markup(css),  # noqa: S704
        "script": Markup(script),  # noqa: S704
        "policy": _policy(script),
    }


def _open_counts(audit: Audit, verdict_: Ran) -> dict[Severity, int]:
    return counts({one.finding_id: one for one in verdict_.findings if one.finding_id not in audit.accepted}.values())


def _nothing(audit: Audit) -> str:
    if not audit.ran:
        return "No check looked at anything: see Checks for the reasons."
    return "Nothing to mend: the checks that ran found nothing."


def _groups(sheet: Sheet, shared: Mapping[str, Any]) -> list[tuple[Severity, list[_Rule]]]:
    """The findings of a file by severity and rule, the worst first."""
    rules: defaultdict[tuple[Severity, str], list[_Shown]] = defaultdict(list)
    for finding in sheet.findings:
        about = (shared["images"].get(name) for name in (finding.image_id, finding.related_image_id) if name)
        images = tuple(image for image in about if image is not None)
        name = images[0].title if images else finding.variant or finding.prompt_id or finding.brand or ""
        ids = frozenset(image.image_id for image in images) | {finding.check}
        since = shared["since"].get(finding.finding_id, Since.NEW.value)
        shown = _Shown(finding, since, evidence(finding), images, name, ids)
        rules[finding.severity, finding.code].append(shown)
    groups: defaultdict[Severity, list[_Rule]] = defaultdict(list)
    for (severity, code), findings in sorted(rules.items(), key=lambda item: (-item[0][0], item[0][1])):
        remedies = {one.finding.remedy for one in findings}
        remedy = remedies.pop() if len(remedies) == 1 else ""
        groups[severity].append(_Rule(code, _meaning(code), remedy, tuple(findings)))
    return list(groups.items())


def _anchor(severity: Severity, code: str) -> str:
    return f"r-{severity.word}-{code.replace('.', '-')}"


def _meaning(code: str) -> str:
    return RULES[code].meaning if code in RULES else code.replace(".", ": ").replace("_", " ")


def _options(sheet: Sheet) -> dict[str, list[str]]:
    """What the filters of a file offer."""

    def distinct(values: Iterator[str | None]) -> list[str]:
        return sorted({value for value in values if value})

    return {
        "severities": [severity.word for severity in counts(sheet.findings)],
        "checks": distinct(one.check for one in sheet.findings),
        "brands": distinct(one.brand for one in sheet.findings),
        "campaigns": distinct(one.campaign for one in sheet.findings),
        "picture_brands": distinct(one.brand for one in sheet.pictures),
        "picture_campaigns": distinct(one.campaign for one in sheet.pictures),
        "models": distinct(one.model for one in sheet.pictures),
        "states": distinct(standing(one) for one in sheet.pictures),
    }


def standing(image: Image) -> str:
    """One word for where a picture stands: a person's verdict first, then where its file is."""
    if image.state != "kept":
        return image.state
    return image.verdict or ("replaced" if image.replaced else "in use")


def _image_facts(image: Image) -> Iterator[tuple[str, str]]:
    size = f"{image.width} × {image.height}" if image.width and image.height else None  # noqa: RUF001  it is a product
    told = (
        ("prompt", image.prompt),
        ("lettering", image.lettering),
        ("model", image.model),
        ("campaign", image.campaign),
        ("brand", image.brand),
        ("size", size),
        ("seed", image.seed),
        ("cost", f"${image.cost_usd:.4g}" if image.cost_usd is not None else None),
        ("made", words.instant(image.requested_at) if image.requested_at else None),
        ("file", image.local_path),
        ("image", image.image_id),
    )
    yield from ((name, str(value)) for name, value in told if value not in (None, ""))


@cache
def _asset(name: str) -> str:
    return (resources.files(_PACKAGE) / "templates" / name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Nothing is fetched and nothing runs but our own script, even if a text ever slipped through unescaped."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _used(cap: Cap) -> str:
    return f"{min(100.0, 100 * cap.used_micros / max(1, cap.limit_micros)):.1f}%"


def _share(value: float) -> str:
    return f"{value * 100:.0f}%" if value >= 0.0995 else f"{value * 100:.1f}%"


def _name(text: str | None, limit: int = 120) -> Markup:
    """A name of ours, such as ``hero@language=de,format=story``, that may be folded where its parts join."""
    return Markup(_JOINT.sub(r"\1<wbr>", str(escape(words.one_line(text or "", limit)))))  # noqa: S704  escaped just now


def _word(value: str) -> str:
    """A class name: only letters of ours."""
    return value if value.isascii() and value.isalpha() else "other"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "about_money": about_money,
        "count": words.count,
        "date": lambda moment: f"{moment.astimezone(UTC):%-d %B %Y}",
        "day": day,
        "facts": _image_facts,
        "instant": words.instant,
        "iso": _iso,
        "line": lambda text, limit=300: words.one_line(str(text or ""), limit),
        "money": money,
        "name": _name,
        "px": lambda number: f"{number:.4g}",
        "sentence": lambda text: text[:1].upper() + text[1:],
        "share": _share,
        "short_date": short_day,
        "standing": standing,
        "used": _used,
        "word": _word,
    }
    return environment


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
