"""Installs the fonts of the printed digits (`python -m training.fonts`) and splits them."""

import hashlib
import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from PIL import ImageFont

Split = Literal["training", "benchmark"]
"""By family, not by face: no design of the benchmark is used in training."""

DEBIAN_PACKAGES = Path(__file__).parent / "font-packages.txt"
"""Names without the prefix `fonts-`."""

RESERVED_FAMILIES = (
    *("breip", "comfortaa", "courierprime", "dancingscript", "essays1743"),
    *("kaushanscript", "kiloji", "play", "tomsontalks", "yanonekaffeesatz"),
)
"""Prefixes of families, lower case without spaces, that neither training nor benchmark may use."""

UNREADABLE_FACES = (
    *("BM Euljiro oraeorae", "DSEG Weather", "DSEG7 7SEGG", "Linux Biolinum Keyboard"),
    "OCR B Inverted",
    *("Abecedario_p", "Penguin", "UKIJ Elipbe", "UKIJ Imaret", "UKIJ Kufi Chiwer", "UKIJ Tughra"),
)
"""Prefixes of faces with symbols, boxes or dots, or without legible digits."""

FAMILY_PREFIXES = {
    "AR PL": ("AR PL",),
    "Abecedario": ("Abecedario",),
    "Adventor": ("TeX Gyre Adventor", "URW Gothic"),
    "Amiri": ("Amiri",),
    "Anonymous": ("Anonymous",),
    "BabelStone": ("API", "BABEL", "EMERITA", "IPA "),
    "Berenis": ("Berenis",),
    "CMU": ("CMU", "Latin Modern"),
    "D2Coding": ("D2Coding",),
    "DSEG": ("DSEG",),
    "DejaVu Mono": ("DejaVu Sans Mono", "Aerial Mono", "WenQuanYi Micro Hei Mono"),
    "DejaVu Sans": ("DejaVu Sans", "Veran", "Waree"),
    "DejaVu Serif": ("DejaVu Math", "DejaVu Serif"),
    "Eunjin": ("Eunjin",),
    "Helvetica": ("Garuda", "Liberation Sans", "TeX Gyre Heros"),
    "Inter": ("Inter",),
    "Linux Libertine": ("Linux Libertine",),
    "Loma": ("Loma", "Umpush"),
    "M PLUS": ("M PLUS", "Migu", "Mplus"),
    "Mekanus": ("Mekanus",),
    "Monoid": ("Monoid", "Monoisome"),
    "Myanmar Phiksel": ("Myanmar Phiksel",),
    "Myanmar Sagar": ("Myanmar Sagar", "Myanmar Sanpya"),
    "Nanum Gothic": ("NanumBarunGothic", "NanumGothic"),
    "Nanum Myeongjo": ("NanumMyeongjo",),
    "Nanum Square": ("NanumSquare",),
    "Noto Sans": ("Noto Kufi", "Noto Naskh", "Noto Sans", "Open Sans"),
    "Noto Serif": ("Noto Serif",),
    "OCR": ("OCRA",),
    "OpenDyslexic": ("OpenDyslexic",),
    "PT Sans": ("PT Sans",),
    "PT Serif": ("PT Serif",),
    "Px": ("Px",),
    "Ricty": ("Ricty", "Inconsolata"),
    "Roadgeek": ("Roadgeek",),
    "Routed Gothic": ("Routed Gothic",),
    "Spleen": ("Spleen",),
    "Times": ("Liberation Serif", "TeX Gyre Termes", "Tymes"),
    "Tiresias": ("Tiresias",),
    "Tlwg": ("Tlwg",),
    "UKIJ": (
        *("UKIJ Basma", "UKIJ Esliye", "UKIJ Kesme", "UKIJ Merdane", "UKIJ Nasq", "UKIJ Orqun"),
        *("UKIJ Teng", "UKIJ Tor", "UKIJ Tuz", "UKIJ Zilwa"),
    ),
    "UKIJ Bold": ("UKIJ Bom", "UKIJ Chechek", "UKIJ Kufi", "UKIJ Orxun"),
    "UKIJ Diwani": ("UKIJ Diwani", "UKIJ Qara", "UKIJ Ruqi", "UKIJ Sulus", "UKIJ Title"),
    "Un Batang": ("UnBatang", "UnGungseo", "UnPen", "UnShinmun"),
    "Un Dotum": ("UnDotum", "UnGraphic", "UnVada"),
    "Yrsa": ("Rasa", "Yrsa"),
}
"""Designs published under several names, and the prefixes of these: each is one family."""

BENCHMARK_ONE_IN = 5  # one family in five is kept for the benchmark
PROBE_SIZE = 40  # pixels
NOTDEF = "\uffff"  # not a character: fonts draw their glyph for missing characters

# Weight, width, slope and optical size: they do not make another design.
_STYLE_WORDS = re.compile(
    r"(?i)\b(thin|hairline|(extra|ultra|semi|demi)?[ -]?(light|bold|condensed|expanded)|book"
    r"|regular|medium|heavy|black|narrow|italic|oblique|slanted|std|no\d+|\d+([.-]\d+)?(pt)?)\b"
)


@dataclass(frozen=True, order=True)
class Face:
    """A font face that has all ten digits."""

    family: str
    style: str
    path: str
    index: int
    """Index of the face in the file."""


@cache
def installed_faces(split: Split) -> list[Face]:
    """Return the installed faces of a split, sorted by family and style.

    Raises:
        OSError: none is installed.
    """
    # Some styles contain a line feed.
    form = "%{family[0]}\\t%{style[0]}\\t%{file}\\t%{index}\\f"
    query = ["fc-list", ":scalable=true:variable=false", "--format", form]
    try:
        listed = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        listed = ""
    found: dict[tuple[str, str], Face] = {}
    for line in sorted(listed.split("\f")[:-1]):
        name, style, path, index = line.split("\t")
        # Many faces are installed in two formats.
        if f"{name} {style}".startswith(UNREADABLE_FACES) or (name, style) in found:
            continue
        if split_of(name) == split:
            face = Face(family_of(name), style, path, int(index))
            if has_digits(face):
                found[name, style] = face
    if not found:
        raise OSError("no fonts found; install them with `python -m training.fonts`")
    return sorted(found.values())


def family_of(name: str) -> str:
    """Return the design, or the name without weight, width, slope and optical size."""
    for design, prefixes in FAMILY_PREFIXES.items():
        if name.startswith(prefixes):
            return design
    return " ".join(_STYLE_WORDS.sub(" ", name).split()) or name


def split_of(name: str) -> Split | None:
    """Return the split of a font, which does not depend on the other installed fonts."""
    if name.replace(" ", "").lower().startswith(RESERVED_FAMILIES):
        return None
    family = family_of(name)
    number = int(hashlib.sha256(family.encode()).hexdigest(), 16)
    return "benchmark" if number % BENCHMARK_ONE_IN == 0 else "training"


def has_digits(face: Face) -> bool:
    """Return whether the face has a distinct glyph for each digit."""
    font = ImageFont.truetype(
        face.path, PROBE_SIZE, face.index, layout_engine=ImageFont.Layout.BASIC
    )
    pictures = [(mask.size, bytes(mask)) for mask in map(font.getmask, [*"0123456789", NOTDEF])]
    return len(set(pictures)) == len(pictures) and all(any(data) for _, data in pictures[:10])


def main() -> None:
    """Install all packages with apt-get."""
    packages = [f"fonts-{name}" for name in DEBIAN_PACKAGES.read_text().split()]
    options = ["--yes", "--no-install-recommends"]
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", *options]
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    try:
        status = subprocess.run([*as_root, *command, "fontconfig", *packages])
    except FileNotFoundError as error:
        raise SystemExit(f"error: {error.filename} not found; run this command as root") from error
    raise SystemExit(status.returncode)


if __name__ == "__main__":
    main()
