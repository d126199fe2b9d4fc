"""What there is to do about Prefect before it is imported: is a server configured, and if none is, have one.

`configured` answers and keeps Prefect quiet, `temporary` has a server for as long as a run takes, `lasting` one
that remembers, `child` is how either is started and ended, `served` that server's side; `deployments` says what runs
by itself. Nothing here imports Prefect, which costs a second and reads its settings once, then.
"""

from flows.orchestrator.configured import prefect_configured, quieten
from flows.orchestrator.lasting import Served, lasting_server
from flows.orchestrator.temporary import prefect_ready

__all__ = ["Served", "lasting_server", "prefect_configured", "prefect_ready", "quieten"]
