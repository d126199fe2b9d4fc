"""Copies of pictures for people: which ones, under which names, with which index and note.

`selection`, `plan`, `index` and `note` decide and word; `run` copies. Originals are only ever read.
"""
