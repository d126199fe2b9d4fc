"""What stays and what goes: the use case behind `retain`, and what people decide about pictures.

`outlook` looks and changes nothing, `run` looks and sweeps, `account` is what it comes to, `verdicts` puts on record
what people say (hold, approve, reject, restore). The rules themselves are in `flows.retention`.
"""
