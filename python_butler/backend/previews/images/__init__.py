"""Previews of images: numbers of a region, averaged over blocks, never more than a few megabytes.

Opens what is stored of an image without reading it (`archives`, `fits`), and reads of it what is asked for.
"""
