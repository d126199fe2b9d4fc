"""While it runs: a progress bar when a person watches, silence otherwise, and signals turned into a clean stop."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from flows import heaps
from flows.pipeline.kit import Progress as Event
from flows.pipeline.kit import Stop
from flows.signals import stopping

ARRIVED = ("stored", "withheld", "lost")  # "recovered" is told besides, of images that are stored


@contextlib.contextmanager
def watched(what: str, *, quiet: bool = False) -> Iterator[tuple[Callable[[Event], None], Stop]]:
    """Yield what a run wants to be given: where to tell of progress, and the stop that Ctrl-C asks for."""
    heaps.few()
    stop = Stop()
    with stopping(stop), _bar(what, quiet=quiet) as tell:
        yield tell, stop


@contextlib.contextmanager
def _bar(what: str, *, quiet: bool) -> Iterator[Callable[[Event], None]]:
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[note]}"),
    )
    seen: Counter[str] = Counter()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, note="")

        def tell(event: Event) -> None:
            seen[event.what] += event.images
            if event.what == "planned":
                bar.update(task, total=event.images or None)
                return
            if event.what == "measured":
                bar.update(task, description="measuring", completed=seen["measured"])
                return
            done = sum(seen[fate] for fate in ARRIVED)
            odd = ", ".join(f"{seen[fate]} {fate}" for fate in ("withheld", "lost", "doubt") if seen[fate])
            bar.update(task, completed=done, note=odd or event.name)

        yield tell
