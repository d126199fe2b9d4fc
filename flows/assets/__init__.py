"""Pictures as files: what they are called, whether they are whole, and what can be measured in them.

Knows bytes, paths and pixels; knows nothing of the API, the manifest or the history.
"""
