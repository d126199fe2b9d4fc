"""The Ideogram API: what its endpoints take, how to talk to it, what its answers mean.

Knows HTTP and the vendor's documentation; knows nothing of manifests, journals, prices or files of ours.
"""
