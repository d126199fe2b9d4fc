"""Copies of pictures for people: which ones, under which names, with which index and note.

Decides and words; the copying itself is `flows.handing`'s. Originals are only ever read.
"""
