"""Distinguishes pictures that cannot be read from other files, such as `Thumbs.db` and notes."""

import re

from mnist_cli.formats import unsupported_format

# Formats of pictures and scans, including those that `images.decode` does not support: such files
# are reported, not skipped.
PICTURE_SUFFIX = re.compile(
    r"\.(apng|avif|bmp|cr2|cr3|dib|dng|emf|eps|gif|hei[cf]|ico|j2k|jfif|jp2|jpe|jpe?g|jxl|nef|p[bgnp]m"
    r"|pcx|pdf|png|psd|qoi|svgz?|tga|tiff?|webp|wmf|xbm|xcf|xpm)\Z",
    re.IGNORECASE,
)
PICTURE_START = re.compile(
    rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF.{4}WEBP|II[*+]\0|MM\0[*+]"
    rb"|BM.{4}\0{4}"  # BMP: size, reserved bytes
    rb"|P[1-6]\s+[#\d]"  # PPM
    rb"|.{4}ftypavi[fs]"  # AVIF
    rb"|\0\0\0\x0cjP  |\xff\x4f\xff\x51"  # JPEG 2000
    rb"|\0\0\x01\0",  # ICO
    re.DOTALL,
)


def is_picture_file(path: str, content: bytes) -> bool:
    """Whether a file is a picture by its name or by its content, even if it is damaged.

    Args:
        path: its path, or only its name.
        content: its content, or the first MAX_START_BYTES of it.
    """
    return (
        PICTURE_SUFFIX.search(path) is not None
        or PICTURE_START.match(content) is not None
        or unsupported_format(content) is not None
    )
