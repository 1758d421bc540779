"""The fonts of the printed digits: `python -m training.fonts` installs them, with Debian's apt-get.

They are divided by family, never by face, so that a benchmark can ask about fonts that no training
saw. Families that are kept for an examination are in neither part.
"""

import hashlib
import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Literal

from PIL import ImageFont

Split = Literal["training", "benchmark"]

DEBIAN_PACKAGES = """
    3270 adf-accanthis adf-baskervald adf-berenis adf-gillius adf-ikarius adf-irianis adf-libris
    adf-mekanus adf-oldania adf-romande adf-solothurn adf-switzera adf-tribun adf-universalis
    adf-verana agave alee allerta amiga anonymous-pro aoyagi-soseki apropal arapey arkpandora
    arphic-ukai arphic-uming atarismall averia-gwf averia-sans-gwf averia-serif-gwf b612 baekmuk
    bajaderka bebas-neue beteckna blankenburg bwht cabin cabinsketch cantarell cardo cegui
    century-catalogue cherrybomb clear-sans cmu comic-neue compagnon crosextra-caladea
    crosextra-carlito dejavu-core dejavu-extra dejima-mincho dkg-handwriting dosis dotgothic16
    dseg dustin ebgaramond ecolier-court elstob engadget eurofurence fantasma fantasque-sans
    fanwood ferrite-core firacode gamaliel gemunu-libre georgewilliams gfs-artemisia
    gfs-baskerville gfs-bodoni-classic gfs-complutum gfs-didot gfs-didot-classic gfs-gazis
    gfs-neohellenic gfs-olga gfs-porson gfs-solomos gfs-theokritos glasstty gnutypewriter go
    gotico-antiqua goudybookletter hack havana hermit hosny-amiri humor-sans inconsolata inter
    isabella jetbrains-mono joscelyn junction junicode jura kacst kalapi karla karmilla
    klaudia-berenika klee konatu kristi lao lato le-murmure league-mono league-spartan
    leckerli-one lemonada levien-museum levien-typoscript lexi-gulim lexi-saebom liberation2
    lindenhill linex linuxlibertine lmodern lobster lobstertwo manrope millimetre mona monofur
    monoid mononoki motoya-l-cedar motoya-l-maruberi mplus myanmar nanum nanum-extra national-park
    naver-d2coding navilu noto-core ocr-a ocr-b okolaks oldstandard open-sans opendin opendyslexic
    oradano-mincho-gsrr osifont oxygen paratype pc prociono proggy quattrocento quicksand
    radisnoir rampart reggae ricty-diminished roadgeek roboto-slab roboto-unhinted rocknroll
    routed-gothic rufscript sawarabi-gothic sawarabi-mincho seto sil-andika sil-annapurna
    sil-charis sil-galatia sil-gentiumplus sil-harmattan sil-padauk sil-sophia-nubian sixtyfour
    sjfonts smc-chilanka smc-gayathri smc-keraleeyam smc-manjari smc-meera smc-rachana smc-uroob
    smiley-sans solide-mirage sora spleen staypuft summersby terminus texgyre thai-tlwg-ttf
    tiresias train triod-postnaja tuffy ubuntu-title ukij-uyghur umeplus unfonts-core vlgothic
    vollkorn woowa-bm wqy-microhei yrsa-rasa yusei-magic
"""
"""Debian packages, without the `fonts-` that all their names begin with."""

RESERVED_FAMILIES = (
    *("breip", "comfortaa", "courierprime", "dancingscript", "essays1743"),
    *("kaushanscript", "kiloji", "play", "tomsontalks", "yanonekaffeesatz"),
)
"""The beginnings of the families, in small letters without spaces, that nothing here may use."""

UNREADABLE_FACES = (
    *("BM Euljiro oraeorae", "DSEG Weather", "DSEG7 7SEGG", "Linux Biolinum Keyboard"),
    "OCR B Inverted",
    *("Abecedario_p", "Penguin", "UKIJ Elipbe", "UKIJ Imaret", "UKIJ Kufi Chiwer", "UKIJ Tughra"),
)
"""The beginnings of faces of symbols, of boxes, of dots, or without clear digits."""

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
"""Designs that go by several names, and how these begin: they count as one family."""

BENCHMARK_ONE_IN = 5  # one family in five is for the benchmark
PROBE_SIZE = 40  # pixels
NOTDEF = "\uffff"  # no character at all: fonts show what stands for all that they lack

# What sets the members of a family apart: many weights and sizes are still one design.
_STYLE_WORDS = re.compile(
    r"(?i)\b(thin|hairline|(extra|ultra|semi|demi)?[ -]?(light|bold|condensed|expanded)|book"
    r"|regular|medium|heavy|black|narrow|italic|oblique|slanted|std|no\d+|\d+([.-]\d+)?(pt)?)\b"
)


@dataclass(frozen=True, order=True)
class Face:
    """A face with ten readable digits."""

    family: str
    style: str
    path: str
    index: int
    """Which of the faces in the file."""


@cache
def installed_faces(split: Split) -> list[Face]:
    """Return the installed faces of one part, sorted by family and style.

    Raises:
        OSError: there are none of this part.
    """
    # There are styles with a line feed in them.
    form = "%{family[0]}\\t%{style[0]}\\t%{file}\\t%{index}\\f"
    query = ["fc-list", ":scalable=true:variable=false", "--format", form]
    try:
        listed = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        listed = ""
    found: dict[tuple[str, str], Face] = {}
    for line in sorted(listed.split("\f")[:-1]):
        name, style, path, index = line.split("\t")
        # The same face often comes in two formats.
        if f"{name} {style}".startswith(UNREADABLE_FACES) or (name, style) in found:
            continue
        if split_of(name) == split:
            face = Face(family_of(name), style, path, int(index))
            if has_digits(face):
                found[name, style] = face
    if not found:
        raise OSError("no fonts: install them with `python -m training.fonts`")
    return sorted(found.values())


def family_of(name: str) -> str:
    """Return the design, or the name without weight, width and optical size."""
    for design, beginnings in FAMILY_PREFIXES.items():
        if name.startswith(beginnings):
            return design
    return " ".join(_STYLE_WORDS.sub(" ", name).split()) or name


def split_of(name: str) -> Split | None:
    """Return the part that a font belongs to: it never changes, whatever else is installed."""
    if name.replace(" ", "").lower().startswith(RESERVED_FAMILIES):
        return None
    family = family_of(name)
    number = int(hashlib.sha256(family.encode()).hexdigest(), 16)
    return "benchmark" if number % BENCHMARK_ONE_IN == 0 else "training"


def has_digits(face: Face) -> bool:
    """Whether the face has a picture of its own for each digit."""
    font = ImageFont.truetype(
        face.path, PROBE_SIZE, face.index, layout_engine=ImageFont.Layout.BASIC
    )
    pictures = [(mask.size, bytes(mask)) for mask in map(font.getmask, [*"0123456789", NOTDEF])]
    return len(set(pictures)) == len(pictures) and all(any(data) for _, data in pictures[:10])


def main() -> None:
    """Install every package."""
    packages = [f"fonts-{name}" for name in DEBIAN_PACKAGES.split()]
    options = ["--yes", "--no-install-recommends"]
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", *options]
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    try:
        status = subprocess.run([*as_root, *command, "fontconfig", *packages])
    except FileNotFoundError as error:
        raise SystemExit(f"error: {error.filename} is not there: run it as root") from error
    raise SystemExit(status.returncode)


if __name__ == "__main__":
    main()
