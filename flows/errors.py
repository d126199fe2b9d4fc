"""Every error a user of ideoflow can meet, grouped by what to do about it.

::

    IdeoflowError
    ├── UserError            exit 2   something you wrote, or asked for; nothing was changed
    │   ├── InvalidInput              a file with problems, each with its place and remedy
    │   └── Refused                   we could, but will not without your say-so
    ├── Unfinished           exit 4   the run stopped early; what was paid for is safe, run again
    │   ├── StorageTrouble            bucket away, rights missing
    │   │   └── StorageFull           no space left
    │   └── HistoryBusy               another process holds the history, or it cannot be read consistently
    └── ApiTrouble                    a conversation with the API went wrong (the pipeline handles these)
        ├── NotSent                   provably never reached the API: free to try again
        ├── MaybeSent                 the request may have run and been billed: never repeat blindly
        ├── Unavailable               a free request (poll, download) failed after its retries
        ├── LinkDead                  the image host says this link no longer works
        └── BadImage                  what arrived is not the picture that was promised

It knows no HTTP, no files, no Prefect. Anything else that escapes is a bug (exit 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a file a person edits: where it is, what it is, and what to do.

    `line` and `column` count from 1; 0 means the whole file. `key` is a dotted path such as
    ``prompts[2].matrix.format``.
    """

    file: str
    line: int
    column: int
    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"{place}:{key} {self.message}{hint}"


class IdeoflowError(Exception):
    """The root: catch this to catch everything that is not a bug."""

    exit_code = 1


class UserError(IdeoflowError):
    """Something the user wrote or asked for; the message says what to change."""

    exit_code = 2


class InvalidInput(UserError):
    """Files with problems, all of them at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Refused(UserError):
    """We could do this, but will not without being told to; the message names the switch."""


class Unfinished(IdeoflowError):
    """The run could not be completed now; nothing paid for is lost and running again goes on."""

    exit_code = 4


class StorageTrouble(Unfinished):
    """The storage cannot take or give what is needed (full, away, forbidden)."""


class StorageFull(StorageTrouble):
    """There is no space left; what was there before is whole."""


class HistoryBusy(Unfinished):
    """The history is held by another process or never held still long enough to be read."""


class ApiTrouble(IdeoflowError):
    """A conversation with the API or its image host went wrong.

    `status` is the HTTP status or None, `request_id` the API's own ``x-request-id`` or None.
    """

    exit_code = 4

    def __init__(self, message: str, *, status: int | None = None, request_id: str | None = None) -> None:
        self.status = status
        self.request_id = request_id
        suffix = f" (request {request_id})" if request_id else ""
        super().__init__(message + suffix)


class NotSent(ApiTrouble):
    """The request provably never reached the API (no name, no connection)."""


class MaybeSent(ApiTrouble):
    """The request may have been received: the work may be running, and billed."""


class Unavailable(ApiTrouble):
    """A free request kept failing; it can be made again later."""


class LinkDead(ApiTrouble):
    """The image host refuses the link (403, 404, 410).

    `server_time` is that host's own `Date` in epoch seconds, or None.
    """

    def __init__(self, message: str, *, status: int | None = None, server_time: float | None = None) -> None:
        self.server_time = server_time
        super().__init__(message, status=status)


class BadImage(ApiTrouble):
    """What arrived is not a complete, decodable picture of the promised size."""
