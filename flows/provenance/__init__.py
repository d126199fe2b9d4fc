"""Where a picture comes from, said inside its file: XMP packets, and whether a C2PA manifest forbids a touch.

Knows the containers PNG, JPEG and WebP byte by byte, and XMP; knows no pixels, no history, no storage.
"""
