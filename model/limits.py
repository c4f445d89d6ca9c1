"""Sizes beyond which input is refused before it is parsed further."""

FILE_BYTES = 512 * 1024 * 1024
ARCHIVE_RATIO = 20
FILE_FRAMES = 200_000
FILE_TRACKS = 1_000
JSON_DEPTH = 16
