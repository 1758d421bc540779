"""Photographs and textures behind the digits, from Debian packages and scikit-image."""

import hashlib
import re
import subprocess
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from training.runs import RUNS

Split = Literal["training", "validation"]

PACKAGES = (
    *("colobot-common-textures", "desktop-base", "endless-sky-data", "extremetuxracer-data"),
    *("gnome-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "lxqt-themes"),
    *("mate-backgrounds", "openarena-081-textures", "plasma-workspace-wallpapers"),
    *("ufoai-textures", "ukui-wallpapers"),
)
SCIKIT_IMAGE = (
    *("brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png", "grass.png"),
    *("gravel.png", "hubble_deep_field.jpg", "ihc.png", "microaneurysms.png", "moon.png"),
    "retina.jpg",
)
"""The pictures that scikit-image ships, without those that show characters."""
FOLDER = RUNS / "detector" / "backgrounds"

WANTED = re.compile(r"/(backgrounds|wallpapers|land|scene|terrains|textures)/.*\.(jpe?g|png|tga)$")
WITH_TEXT = re.compile(
    r"(?i)sfx|font|text\b|sign|number|label|keyboard|screen|liquid|skies|interface|effect|objects"
    r"|flag|poster|computer|banner|skybox|_n[mrs]?\."
)
"""Pictures that may show characters, and normal maps."""
LONGEST_SIDE = 512  # pixels: a tile has 192, and workers keep all pictures in memory
SHORTEST_SIDE = 100  # pixels
MAX_PER_ARCHIVE = 300  # game textures resemble one another
JPEG_QUALITY = 92
VALIDATION_SHARE = 10  # one picture in ten


def install() -> None:
    """Download the packages, unpack them without installing, and keep their pictures as JPEG.

    Does nothing if that is done already.
    """
    note = FOLDER / "sources.txt"
    made_of = "\n".join((*PACKAGES, *SCIKIT_IMAGE, WITH_TEXT.pattern))
    if note.exists() and note.read_text() == made_of:
        return
    packages, unpacked = FOLDER / "packages", FOLDER / "unpacked"
    packages.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", *PACKAGES], cwd=packages, check=True)
    for package in sorted(packages.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(package), str(unpacked)], check=True)
    for split in ("training", "validation"):
        (FOLDER / split).mkdir(exist_ok=True)
    seen: set[bytes] = set()
    for name, data in chain(_debian_pictures(unpacked), _scikit_image_pictures()):
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if picture is None or min(picture.shape[:2]) < SHORTEST_SIDE:
            continue
        small = cv2.resize(picture, (8, 8), interpolation=cv2.INTER_AREA)
        if (thumbnail := (small // 16).tobytes()) in seen:
            continue
        seen.add(thumbnail)
        scale = min(1.0, LONGEST_SIDE / max(picture.shape[:2]))
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        # Wallpapers come in many sizes and in light and dark: the split is by folder or stem.
        digest = hashlib.sha256(motif(name).encode()).hexdigest()
        split = "validation" if int(digest, 16) % VALIDATION_SHARE == 0 else "training"
        file = FOLDER / split / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.jpg"
        cv2.imwrite(str(file), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    note.write_text(made_of)


def motif(name: str) -> str:
    """Return what all sizes and shades of a picture have in common in their names."""
    path = Path(name)
    if path.parent.name == "images":
        return str(path.parents[1])
    return re.sub(r"([-_](l|d|light|dark)|\d+)$", "", str(path.with_suffix("")))


def _debian_pictures(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of picture files, also of those in archives of games (pk3)."""
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.is_symlink():
            continue
        name = str(file.relative_to(folder))
        if file.suffix == ".pk3":
            with zipfile.ZipFile(file) as archive:
                members = [m for m in sorted(archive.namelist()) if is_wanted(f"/{m}")]
                step = max(1, len(members) // MAX_PER_ARCHIVE)
                for member in members[::step]:
                    yield f"{name}/{member}", archive.read(member)
        elif is_wanted(name):
            yield name, file.read_bytes()


def _scikit_image_pictures() -> Iterator[tuple[str, bytes]]:
    for name in SCIKIT_IMAGE:
        yield f"scikit-image/{name}", (resources.files("skimage.data") / name).read_bytes()


def is_wanted(name: str) -> bool:
    """Whether a file is a background, by its path."""
    return bool(WANTED.search(name)) and not WITH_TEXT.search(name)


@cache
def files(split: Split) -> list[Path]:
    """Return the pictures of a split.

    Raises:
        OSError: there are none.
    """
    found = sorted((FOLDER / split).glob("*.jpg"))
    if not found:
        raise OSError("no backgrounds: make them with `python -m training.detector backgrounds`")
    return found


@cache
def load(file: Path) -> NDArray[np.uint8]:
    """Return a background, uint8 [H, W, 3], RGB."""
    picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
