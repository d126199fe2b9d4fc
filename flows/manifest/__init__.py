"""The manifest people edit: reading it, checking it, and expanding it into variants.

Knows YAML, templates and the option catalogue; knows no HTTP, prices, storage or history.
"""
