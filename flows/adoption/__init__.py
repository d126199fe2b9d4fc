"""Taking over collections that were made elsewhere: reading them, judging them, and entering them into the books.

What is read (`lists`, `folder`, `embedded`, `fields`) becomes records; `match` says which variant of the manifest a
record is, `decide` what happens to each, and `enter` does it. Knows formats that people keep pictures in; knows no
settings and no terminal. Nothing here ever writes where it reads.
"""
