"""Buying what a manifest wants: the use case behind `generate`, and what finishes or settles earlier ones.

`run` is one campaign from beginning to end, `steps` are what it consists of, `account` is what it comes to, and
`recovery` finishes what the dead left. Knows no Prefect and no terminal: whoever runs it hands in a `Step`.
"""
