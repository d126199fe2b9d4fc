"""A manifest multiplied out into variants: pure, `now` and the timezone are arguments.

Nothing is multiplied before it has been counted. What is wrong with one place is said once, however many
variants it spoils.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from types import MappingProxyType

from flows.documents import did_you_mean, shown
from flows.errors import InvalidInput, Problem
from flows.ideogram.catalogue import CATALOGUE, Endpoint, find
from flows.manifest.axes import Axis, Path, Point
from flows.manifest.brands import PREFIX
from flows.manifest.merge import Merged, merge
from flows.manifest.names import period
from flows.manifest.slips import MANY
from flows.manifest.source import Entry, Manifest
from flows.manifest.template import Filled, Wording, parse
from flows.manifest.variant import Variant
from flows.manifest.wire import OptionDesk
from flows.manifest.words import check_words, unlettered, unsaid, unused_file_variables

MAX_VARIANTS = 100_000
MAX_TEXT = 50_000_000


@dataclass(frozen=True)
class Expansion:
    """The variants of one file, with what is wrong (then the variants are not to be used) or noteworthy."""

    variants: tuple[Variant, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def expand(manifest: Manifest, now: datetime, tz: tzinfo) -> tuple[Variant, ...]:
    """All variants in file order, or InvalidInput."""
    expansion = expand_all(manifest, now, tz)
    if problems := (*manifest.problems, *expansion.problems, *manifest.brands.problems):
        raise InvalidInput(problems)
    return expansion.variants


def expand_all(manifest: Manifest, now: datetime, tz: tzinfo) -> Expansion:
    """As `expand`, but goes on past problems to find all of them."""
    work = _Work(manifest, now, tz)
    variants = tuple(work.run())
    return Expansion(variants, tuple(work.problems), tuple(work.warnings))


@dataclass
class _Work:
    manifest: Manifest
    now: datetime
    tz: tzinfo
    # Dictionaries as ordered sets: the same complaint of a thousand variants is one.
    problems: dict[Problem, None] = field(default_factory=dict)
    warnings: dict[Problem, None] = field(default_factory=dict)
    _said: set[tuple[object, ...]] = field(default_factory=set)
    _written: int = 0

    def __post_init__(self) -> None:
        self.desk = OptionDesk(self.manifest, self._problem, self._warning)

    def run(self) -> Iterator[Variant]:
        self.desk.check_models()
        self._check_models()
        total = 0
        templates: list[Wording | None] = []
        for entry in self.manifest.entries:
            if len(self.problems) >= MANY:
                return
            template = self._template(entry)
            templates.append(template)
            total += self._size(entry)
            if total > MAX_VARIANTS:
                message = f"{total:,} variants up to here; at most {MAX_VARIANTS:,} are possible in one file"
                self._problem((*entry.at, "matrix"), message, "Split the file, or shorten the axes.")
                return
        if "entries" not in self.manifest.broken and None not in templates:
            names = {name for template in templates if template for name in template.names}
            for problem in unused_file_variables(self.manifest, names):
                self.problems[problem] = None
        for entry, template in zip(self.manifest.entries, templates, strict=True):
            if len(self.problems) >= MANY:
                return
            yield from self._entry(entry, template)

    def _size(self, entry: Entry) -> int:
        """An upper bound of the entry's variants: its seeds may differ from label to label."""
        points = [point.overrides.seeds for axis in entry.matrix.axes for point in axis.points]
        seeds = max(len(seeds or ()) for seeds in (entry.prompt.seeds, *points))
        return entry.matrix.size * max(1, seeds)

    def _template(self, entry: Entry) -> Wording | None:
        if "prompt" in entry.broken:
            return None
        template: Wording | None = entry.structured
        if isinstance(words := entry.prompt.prompt, str):
            plain, slips = parse(words)
            template = None if slips else plain
            for slip in slips:
                self._problem((*entry.at, "prompt"), slip.message, slip.hint)
        if template is None:
            return None
        for problem in check_words(self.manifest, entry, template):
            self.problems[problem] = None
        return template

    def _entry(self, entry: Entry, template: Wording | None) -> Iterator[Variant]:
        found = False
        for combination in itertools.product(*(axis.points for axis in entry.matrix.axes)):
            chosen = list(zip(entry.matrix.axes, combination, strict=True))
            labels = {axis.name: point.label for axis, point in chosen}
            if entry.matrix.keeps(labels):
                found = True
                yield from self._variants(entry, template, chosen, labels)
                if self._written > MAX_TEXT:
                    message = f"more than {MAX_TEXT // 1_000_000} MB of prompts up to here"
                    self._problem((*entry.at, "prompt"), message, "Split the file.")
                    return
        if not found:
            message = "every combination of the matrix is excluded"
            self._problem((*entry.at, "matrix", "exclude"), message, "Leave one, or remove the prompt.")

    def _variants(
        self,
        entry: Entry,
        template: Wording | None,
        chosen: Sequence[tuple[Axis, Point]],
        labels: Mapping[str, str],
    ) -> Iterator[Variant]:
        merged = merge(self.manifest, entry, chosen)
        endpoint = self._endpoint(entry, merged)
        name = _name(entry.prompt.id, labels)
        prompt = self._fill(entry, template, merged, name) if template else None
        if endpoint is None:
            return
        shape, options = self.desk.options(endpoint, merged)
        if prompt is None or not self._taken(entry, endpoint, prompt, name):
            return
        self._check_lettering(entry, merged, prompt, name)
        seeds = merged.value("seeds")
        for seed in seeds or (None,):
            axes = dict(labels) if seed is None else {**labels, "seed": str(seed)}
            yield Variant(
                prompt_id=entry.prompt.id,
                name=name if seed is None else _name(entry.prompt.id, axes),
                axes=MappingProxyType(axes),
                endpoint=endpoint,
                prompt=prompt.text,
                count=1 if seeds else merged.value("count") or 1,
                brand=merged.brand,
                campaign=merged.value("campaign"),
                tags=merged.tags,
                lettering=_lettering(merged),
                aspect_ratio=shape,
                options=MappingProxyType(options),
                seed=seed,
                edition=self._edition(merged),
                retention=merged.value("retention"),
                file=self.manifest.document.file,
                line=self.manifest.document.place(entry.at)[0],
            )

    def _edition(self, merged: Merged) -> str | None:
        refresh = merged.value("refresh")
        return period(refresh, self.now, self.tz) if refresh else merged.value("edition")

    def _endpoint(self, entry: Entry, merged: Merged) -> Endpoint | None:
        written = merged.fields.get("model")
        if written is None:
            unread = {"model", "matrix"} & entry.broken or {
                "defaults",
                "defaults.model",
            } & self.manifest.broken
            if not unread and self._once("model", entry.at):
                hint = f"Set `model` here or under `defaults`: {', '.join(CATALOGUE)}."
                self._problem(entry.at, "no model", hint)
            return None
        return find(written.value)

    def _check_models(self) -> None:
        """Wherever one is written, also where another layer displaces it."""
        for path, name in self._models():
            if name is not None and find(name) is None:
                self._problem(path, f"unknown model {shown(name)}", did_you_mean(name, CATALOGUE, "Models"))

    def _models(self) -> Iterator[tuple[Path, str | None]]:
        yield ("defaults", "model"), self.manifest.defaults.model
        for entry in self.manifest.entries:
            yield (*entry.at, "model"), entry.prompt.model
            for axis in entry.matrix.axes:
                for point in axis.points:
                    yield point.path if axis.listed else (*point.path, "model"), point.overrides.model

    def _fill(self, entry: Entry, template: Wording, merged: Merged, name: str) -> Filled | None:
        missing = [word for word in template.names if word not in merged.texts]
        for word in missing:
            # A name that fills the prompt nowhere has been reported already, for all variants at once.
            somewhere = any(word in (point.overrides.vars or {}) for a in entry.matrix.axes for point in a.points)
            lettering = word == "lettering" and "lettering" not in entry.broken
            if word.startswith(PREFIX) and not self.manifest.brands.broken(merged.brand):
                if self._once("fills", word, entry.at, merged.brand):
                    path = (*entry.at, "prompt", *template.at(word))
                    hint = self.manifest.brands.unfilled(merged.brand, word)
                    self._problem(path, f"nothing fills {{{word}}}", hint)
            elif (somewhere or lettering) and "matrix" not in entry.broken and self._once("fills", word, entry.at):
                hint = "Set `lettering`." if lettering else f"Give `vars: {{{word}: ...}}` there too."
                path = (*entry.at, "prompt", *template.at(word))
                self._problem(path, f"nothing fills {{{word}}} in {name}", hint)
        if missing:
            return None
        prompt = template.filled(merged.texts)
        self._written += len(prompt.text)
        return prompt

    def _taken(self, entry: Entry, endpoint: Endpoint, prompt: Filled, name: str) -> bool:
        """Whether the model takes a prompt of this form and length."""
        path, length = (*entry.at, "prompt"), len(prompt.text)
        if prompt.structured and not endpoint.json_prompts:
            takers = ", ".join(model for model, other in CATALOGUE.items() if other.json_prompts)
            hint = f"Write the prompt as a text, or use a model that does: {takers}."
            self._problem(path, f"{endpoint.model} takes no structured prompts", hint)
            return False
        if length > endpoint.max_prompt and self._once("long", entry.at, endpoint.model):
            message = f"{name}: {length:,} characters; {endpoint.model} takes at most {endpoint.max_prompt:,}"
            self._problem(path, message, "Shorten the prompt, or what fills it.")
        return length <= endpoint.max_prompt

    def _check_lettering(self, entry: Entry, merged: Merged, prompt: Filled, name: str) -> None:
        wanted = _lettering(merged)
        if wanted is None:
            note = unlettered(prompt)
            if note and self._once("quoted", entry.at):
                self._warning((*entry.at, "prompt"), note.message, note.hint)
            return
        path = merged.fields["lettering"].path
        if (slip := unsaid(wanted, prompt, name)) and self._once("lettering", path):
            self._problem(path, slip.message, slip.hint)

    def _once(self, *key: object) -> bool:
        new = key not in self._said
        self._said.add(key)
        return new

    def _problem(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        self.problems[self.manifest.document.problem(path, message, hint, key=key)] = None

    def _warning(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        self.warnings[self.manifest.document.problem(path, message, hint, key=key)] = None


def _name(prompt_id: str, axes: Mapping[str, str]) -> str:
    labels = ",".join(f"{axis}={label}" for axis, label in axes.items())
    return f"{prompt_id}@{labels}" if labels else prompt_id


def _lettering(merged: Merged) -> str | None:
    text = merged.value("lettering")
    return None if text is None else unicodedata.normalize("NFC", text).strip()
