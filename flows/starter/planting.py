"""Putting files into a folder: all of them or none, and never over one that is there. Not what they say."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.errors import UserError
from flows.starter.files import Planted


@dataclass(frozen=True)
class Done:
    """What was written, what was there already and said the same, and what was left as it was though it says other."""

    written: tuple[str, ...]
    same: tuple[str, ...]
    kept: tuple[str, ...]


def plant(root: Path, files: Mapping[str, Planted]) -> Done:
    """Write the files that are not there. UserError, with nothing written, where one of ours is there and differs.

    A run that was killed is completed by the next: what it wrote says the same.
    """
    found = {name: _found(root, name, file) for name, file in files.items()}
    taken = [name for name, state in found.items() if state == "differs" and files[name].ours]
    if taken:
        raise UserError(
            f"there is a project here already, nothing was written: {', '.join(taken)} in {root}. "
            "Name another folder, or move those files away; `ideoflow validate` checks the project as it is"
        )
    missing = [name for name, state in found.items() if state == "missing"]
    _write(root, {name: files[name].text for name in missing})
    return Done(
        tuple(missing),
        tuple(name for name, state in found.items() if state == "same"),
        tuple(name for name, state in found.items() if state == "differs"),
    )


def _found(root: Path, name: str, file: Planted) -> str:
    path = root / name
    for folder in [parent for parent in path.parents if parent == root or root in parent.parents]:
        if os.path.lexists(folder) and not folder.is_dir():
            raise UserError(f"{folder} is a file where a folder has to be: move it away, or name another folder")
    if not os.path.lexists(path):
        return "missing"
    try:
        same = path.read_bytes() == file.text.encode()
    except OSError:  # a folder, a link to nowhere, something we may not read: there all the same
        same = False
    return "same" if same else "differs"


def _write(root: Path, texts: Mapping[str, str]) -> None:
    """Everything is written aside first, so that a full disk is met before anything shows."""
    if not texts:
        return
    made: list[Path] = []
    folders: list[Path] = []
    try:
        _make(root, folders)
        with _aside(root) as aside:
            for number, text in enumerate(texts.values()):
                (aside / str(number)).write_text(text, encoding="utf-8")
            for number, name in enumerate(texts):
                _make((root / name).parent, folders)
                _place(aside / str(number), root / name)
                made.append(root / name)
    except BaseException as error:
        for path in reversed(made):
            path.unlink(missing_ok=True)
        for folder in reversed(folders):
            with contextlib.suppress(OSError):  # somebody put something in it meanwhile
                folder.rmdir()
        if isinstance(error, OSError):
            why = error.strerror or str(error)
            raise UserError(f"cannot write a project into {root}: {why}. Nothing was changed") from error
        raise


def _make(folder: Path, made: list[Path]) -> None:
    for parent in [*reversed(folder.parents), folder]:
        if not parent.exists():
            parent.mkdir()
            made.append(parent)


@contextlib.contextmanager
def _aside(root: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=".ideoflow-init-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place(source: Path, target: Path) -> None:
    """Under its name as a whole, and only if nothing has that name."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        with target.open("xb") as file:  # a disk without hard links
            file.write(source.read_bytes())
