"""The shared Prefect glue: what every flow of ours needs of Prefect, and nothing that a promise rests on.

`tasks` makes a step a task, `logs` carries our log lines into the run's, `artifacts` shows progress and
reports, `ending` decides the final state and announces it, `conduct` holds a run together. All of it may fail:
the server may die in the middle of a run, and the run goes on. No step knows that any of this exists.
"""

from flows.runtime.conduct import Tell, conduct, watched_run
from flows.runtime.tasks import NOTHING_KEPT

__all__ = ["NOTHING_KEPT", "Tell", "conduct", "watched_run"]
