"""Taking over collections that were made elsewhere: reading them, judging them, and entering them into the books.

What is read (`lists`, `folder`, `embedded`, `fields`) becomes records; `match` says which variant of the manifest a
record is, `decide` what happens to each, `enter` does it, and `run` is an import from beginning to end. Only `run`
knows a project; nobody here knows a terminal. Nothing here ever writes where it reads.
"""
