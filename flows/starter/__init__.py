"""A new project: what `ideoflow init` asks, and the files it writes.

`answers` are what somebody said, made fit for files; `files` turns them into texts; `planting` puts those into a
folder, all or none, and never over anything that is there.
"""
