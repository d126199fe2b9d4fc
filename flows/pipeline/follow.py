"""Following a generation until it has ended. Polling is free, so it is patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flows.errors import ApiTrouble
from flows.ideogram.answers import Delivered, Doubtful, Failed, Missing, Pending, read_poll
from flows.pipeline.kit import Kit


@dataclass(frozen=True)
class Undecided:
    """Not known yet, or not to be known: `doubt` means that only a person can settle it."""

    why: str
    doubt: bool = False


Ended = Delivered | Failed | Undecided


async def follow(kit: Kit, generation_id: str, submitted_at: datetime) -> Ended:
    """Poll until the job is done, failed, or the rules' deadline is over (the next run then goes on)."""
    started, pause = kit.uptime(), kit.rules.poll_first_s
    why = "still pending"
    while True:
        try:
            answer = await kit.api.poll(generation_id)
        except ApiTrouble as trouble:
            why = str(trouble)
        else:
            match read_poll(answer.status, answer.body):
                case Delivered() | Failed() as ended:
                    return ended
                case Pending():
                    why = "still pending"
                case Missing(message):
                    why = f"the API does not know it: {message}"
                case Doubtful(reason):
                    why = reason
        old = kit.now() - submitted_at > kit.rules.lost_job_after
        if old or kit.uptime() - started > kit.rules.job_s:
            return Undecided(f"generation {generation_id}: {why}", doubt=old)
        await kit.sleep(pause * (0.75 + 0.5 * kit.random()))
        pause = min(kit.rules.poll_most_s, pause * 1.5)
