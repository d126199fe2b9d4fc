"""The audit as people and programs read it: a page of HTML, JSON, JUnit XML and a few lines.

`model` holds what was found, `standing` works out scores and changes, `evidence` what a finding has to show, `sheets`
how it is spread over files; `page`, `as_json`, `junit` and `ending` turn it into text. Everything here is pure.
"""
