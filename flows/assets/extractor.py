"""Which measures there are: the version that every feature row carries. Importing it loads nothing."""

EXTRACTOR_VERSION = 3
"""Raise it when any value of `features.Features` would come out differently for the same bytes.

1: size, hashes, thumbnail. 2: colours, visible share, profile, sharpness, contrast, brightness, what is embedded;
hashes are of the reduced picture, and mean the colours that its profile means, as thumbnails do.
3: the reduced picture is half as large, JPEGs are decoded at a part of their size, half as many samples.
"""
