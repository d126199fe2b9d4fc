"""Which measures there are: the version that every feature row carries. Importing it loads nothing."""

EXTRACTOR_VERSION = 3
"""Raise it when any value of `features.Features` would come out differently for the same bytes.

1: size, hashes, thumbnail. 2: colours, visible share, profile, sharpness, contrast, brightness, what is embedded;
hashes are of the reduced picture, and mean the colours that its profile means, as thumbnails do.
3: the reduced picture is half as large, JPEGs are decoded at a part of their size, half as many samples.
"""

LIKENESS_VERSIONS = frozenset({1, 2, 3})
"""The versions whose hashes and thumbnails may be laid beside today's: `likeness` was measured to hold across them.

Take the older ones out when hashes or thumbnails come to mean something else; keep them in when only other measures
do. 1 hashed the whole picture, 2 the picture at some 512 px, 3 at some 256:
at most 3 of 128 bits apart on 40 pictures of the sandbox.
"""
