"""Feature extraction in worker processes: a decoder that hangs or dies costs its own picture alone.

Knows processes and pipes. Workers are plain `python -m` children rather than a process pool of the standard
library: there one death breaks the whole pool and no hanging task can be stopped, and its children import the
caller's main module again.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from flows.errors import BadImage

if TYPE_CHECKING:  # importing it for real would load numpy into the caller
    from flows.assets.features import Features

EXTRACTOR = "flows.assets.features:extract"
_ENVIRONMENT = {
    # Threads for sums as small as ours cost more than they save, and the cores have pictures to do.
    "OPENBLAS_NUM_THREADS": "1",
    # glibc gives the memory of every large picture back, to be asked for anew by the next: a fifth of the time.
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_TOP_PAD_": "33554432",
}


def extract_many(
    pictures: Iterable[tuple[str, bytes]], *, workers: int, timeout_s: float, extractor: str = EXTRACTOR
) -> Iterator[tuple[str, Features | str]]:
    """Yield (key, Features), or (key, why there are none), for each (key, bytes), in order of completion.

    `pictures` is read lazily, at most one per worker ahead. A picture that takes longer than `timeout_s`
    seconds, or kills its decoder, yields a reason. `extractor` is the ``module:function`` that the children
    call.
    """
    todo = iter(pictures)
    idle: list[_Worker] = []
    busy: dict[Connection, tuple[_Worker, str]] = {}
    left = True
    try:
        while True:
            while left and len(busy) < workers:
                picture = next(todo, None)
                if picture is None:
                    left = False
                    break
                worker = idle.pop() if idle else _Worker(timeout_s, extractor)
                busy[worker.pipe] = (worker, picture[0])
                worker.send(picture[1])
            if not busy:
                return
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)  # noqa: S101 - nothing else was put in
                worker, key = busy.pop(pipe)
                result = worker.receive()
                if worker.alive:
                    idle.append(worker)
                else:
                    worker.close()
                yield key, result
    finally:
        for worker in [*idle, *(worker for worker, _ in busy.values())]:
            worker.close()


class _Worker:
    """One child process and the pipe to it."""

    def __init__(self, timeout_s: float, extractor: str) -> None:
        self._timeout_s = timeout_s
        self.alive = True
        self.pipe, theirs = Pipe()
        with theirs:
            # The child finds our package the way we did, installed or not.
            found_by = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            environment = os.environ | _ENVIRONMENT | found_by
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", __name__, str(theirs.fileno()), str(timeout_s), extractor],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment,
            )

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # when it died meanwhile, receive() says so
            self.pipe.send_bytes(data)

    def receive(self) -> Features | str:
        try:
            result: Features | str = self.pipe.recv()
        except (EOFError, OSError):
            self.alive = False
            code = self._process.wait()
            if code == -signal.SIGALRM:
                return f"measuring it took longer than {self._timeout_s:g} s"
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return f"measuring it killed the decoder ({how})"
        return result

    def close(self) -> None:
        self.pipe.close()
        self._process.kill()
        self._process.wait()


def _serve(pipe: Connection, timeout_s: float, extractor: str) -> None:
    """The child: one picture in, one result out, until the pipe closes."""
    module, _, function = extractor.partition(":")
    while True:
        try:
            data = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        # Imported after the picture has come, so that several children start at the same time.
        extract = getattr(importlib.import_module(module), function)
        # The alarm's default action ends the process even inside a decoder's own loop in C, and also when
        # the parent is gone.
        signal.setitimer(signal.ITIMER_REAL, timeout_s)
        result: Features | str
        try:
            result = extract(data)
        except (BadImage, MemoryError) as error:
            result = str(error) or "measuring it takes more memory than there is"
        signal.setitimer(signal.ITIMER_REAL, 0)
        pipe.send(result)


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it closes the pipe
    _serve(Connection(int(sys.argv[1])), float(sys.argv[2]), sys.argv[3])
