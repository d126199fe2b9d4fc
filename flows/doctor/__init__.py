"""Is everything in place? `ideoflow doctor`: what can be looked at, looked at, each with a verdict and a remedy.

`verdicts` and `deployments` decide, from facts; `machine`, `storages`, `service` and `books` find the facts, by
doing what a run will do; `validation` checks the files that people edit; `examine` puts all in order; `mend` does
what is safe. Whatever is found, the key is never part of it.
"""
