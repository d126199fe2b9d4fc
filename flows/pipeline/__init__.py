"""The paid path: a plan in, images on storage and records in the journal out, whatever happens on the way.

An async, bounded run over an injected client, storage and journal. Knows the order of the crash protocol (claim,
check, post, answer, finish, end); knows nothing of Prefect, settings, terminals or YAML.
"""
