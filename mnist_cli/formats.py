"""The formats of picture files."""

import re

# Formats that Pillow decodes without a helper program, and that cannot contain scripts.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF", "JPEG2000", "ICO")
SEVERAL_PAGES = "%s has several pages, only the first is read"
# The start of files in other formats, and how to convert them.
UNSUPPORTED_FORMATS = (
    ("HEIC", rb".{4}ftyp(he[ivx]|mif1|msf1)", "JPEG, as heif-convert does"),
    ("JPEG XL", rb"\0\0\0\x0cJXL |\xff\x0a", "PNG, as djxl does"),
    ("PDF", rb"%PDF-", "PNG, as pdftoppm -png does"),
    ("SVG", rb"\s*(<\?xml[^>]*>\s*)?(<![^>]*>\s*)*<svg", "PNG, as rsvg-convert does"),
    ("PostScript", rb"%!PS", "PNG"),
    ("Photoshop", rb"8BPS", "PNG"),
    ("QOI", rb"qoif", "PNG"),
)
# Enough for the start of an SVG file.
MAX_START_BYTES = 1024


def unsupported_format(data: bytes) -> tuple[str, str] | None:
    """Return the name of a format that is not in FORMATS, and what to convert it to."""
    for name, start, target in UNSUPPORTED_FORMATS:
        if re.compile(start, re.DOTALL).match(data, 0, MAX_START_BYTES):
            return name, target
    return None
