"""Which pictures stay, which go, and how they go: a policy people write, decisions with reasons, a sweep.

`policy` and `decide` are pure and know no storage; `sweep` records before it deletes and can be killed at any moment.
Nobody here knows HTTP, Prefect, or why a picture was made.
"""
