"""From a drawn scene to a photograph: perspective, light, contrast, blur, noise and JPEG."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.detector.canvas import IGNORED, Boxes, Canvas, Outline, Picture
from training.detector.colours import any_colour
from training.detector.textures import noise_field

Pixels = NDArray[np.uint8]
"""uint8 [H, W, 3], RGB."""

WARPED_SHARE = 0.5
TURN, STEEP_TURN = 12.0, 28.0  # degrees, to both sides
STEEP_SHARE = 0.12
STRETCHED_SHARE = 0.2
STRETCH = 1.4  # the most by which one side is scaled more than the other
PERSPECTIVE = 0.1  # of the shorter side
LEAST_DEVIATION = 7.0  # gray levels inside the box of a digit that can still be read
MOST_NOISE = 0.8  # of that deviation
SHAPE_BLUR = 0.07  # of the smallest digit's height: more would make it unreadable


def warp(canvas: Canvas) -> None:
    """Turn, scale and tilt the picture with its mask and outlines, in half of the scenes."""
    rng = canvas.rng
    if rng.random() >= WARPED_SHARE:
        return
    width, height = canvas.width, canvas.height
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    tilt = rng.uniform(0, PERSPECTIVE) * min(width, height) if rng.random() < 0.6 else 0.0
    moved = corners + rng.uniform(-tilt, tilt, (4, 2))
    most = STEEP_TURN if rng.random() < STEEP_SHARE else TURN
    turn = rng.uniform(-most, most) if rng.random() < 0.6 else 0.0
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, rng.uniform(0.88, 1.1))
    if rng.random() < STRETCHED_SHARE:
        factor = float(np.exp(rng.uniform(-1, 1) * np.log(STRETCH)))
        middle = np.array([width / 2, height / 2])
        moved = (moved - middle) * (factor**0.5, factor**-0.5) + middle
    moved = (moved @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    transform = cv2.getPerspectiveTransform(corners, moved)
    beyond = [cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT][int(rng.random() < 0.4)]
    canvas.picture = np.asarray(
        cv2.warpPerspective(
            canvas.picture,
            transform,
            (width, height),
            borderMode=beyond,
            borderValue=tuple(any_colour(rng).tolist()),
        ),
        np.float32,
    )
    canvas.foreground = np.asarray(
        cv2.warpPerspective(canvas.foreground, transform, (width, height)), np.uint8
    )
    canvas.shapes = [(digit, _moved(outline, transform)) for digit, outline in canvas.shapes]


def _moved(outline: Outline, transform: NDArray[np.float64]) -> Outline:
    return np.asarray(cv2.perspectiveTransform(outline[None], transform)[0], np.float32)


def photograph(canvas: Canvas, boxes: Boxes) -> tuple[Pixels, NDArray[np.float32]]:
    """Return the picture as a camera, scanner or screen would show it, and what is left to see.

    Args:
        canvas: the drawn scene.
        boxes: float32 [N, 5] of the scene: its smallest digit limits the blur, its faintest the
            loss of contrast and the noise.

    Returns:
        The picture, and float32 [N]: the deviation inside each box before noise, in gray levels.
    """
    rng = canvas.rng
    digits = boxes[boxes[:, 0] != IGNORED]
    smallest = float(np.min(digits[:, 4] - digits[:, 2], initial=40))
    picture = _light(np.clip(canvas.picture, 0, 255), rng)
    picture = _contrast(picture, float(_deviations(picture, digits).min(initial=100)), rng)
    picture = _blur(picture, smallest, rng)
    left = _deviations(picture, boxes)
    faintest = left[boxes[:, 0] != IGNORED].min(initial=100)
    return _noise(picture, float(faintest), rng), left


def _deviations(picture: Picture, boxes: Boxes) -> NDArray[np.float32]:
    """Return the largest deviation of a channel inside each box, float32 [N]."""
    found = np.zeros(len(boxes), np.float32)
    for row, (_, left, top, right, bottom) in enumerate(boxes.astype(int)):
        area = picture[top : bottom + 1, left : right + 1].reshape(-1, 3)
        found[row] = area.std(axis=0).max() if len(area) else 0
    return found


def _light(picture: Picture, rng: np.random.Generator) -> Picture:
    if rng.random() >= 0.35:
        return picture
    height, width = picture.shape[:2]
    if rng.random() < 0.6:
        field = noise_field(rng, height, width, max(height, width) * rng.uniform(0.4, 1))
        factor = 1 + field * np.float32(rng.uniform(0.05, 0.3))
    else:
        angle, soft = rng.uniform(0, 2 * np.pi), rng.uniform(1, 25)
        y, x = np.ogrid[:height, :width]
        across = np.cos(angle) * (x - rng.uniform(0, width))
        across = across + np.sin(angle) * (y - rng.uniform(0, height))
        shade = 1 / (1 + np.exp(np.clip(-across / soft, -30, 30)))
        factor = (1 - rng.uniform(0.15, 0.6) * shade).astype(np.float32)[..., None]
    return np.asarray(picture * np.clip(factor, 0.15, 1.8), np.float32)


def _contrast(picture: Picture, faintest: float, rng: np.random.Generator) -> Picture:
    if rng.random() < 0.35:
        mean = np.float32(picture.mean())
        low = 0.12 if rng.random() < 0.3 else 0.3
        factor = max(rng.uniform(low, 1.1), min(1.0, LEAST_DEVIATION / max(faintest, 1)))
        picture = (picture - mean) * np.float32(factor) + mean
        picture = picture + np.float32(rng.uniform(-40, 40))
    if rng.random() < 0.12:
        picture = 255 - picture
    picture = np.clip(picture, 0, 255)
    if rng.random() < 0.35:
        picture[:] = picture.mean(axis=2, keepdims=True)
    elif rng.random() < 0.15:  # coloured light
        picture = picture * rng.uniform(0.3, 1, 3).astype(np.float32)
    return np.asarray(picture, np.float32)


def _blur(picture: Picture, smallest: float, rng: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    chance = rng.random()
    if chance < 0.3:
        sigma = rng.uniform(0.3, max(0.5, min(4.0, SHAPE_BLUR * smallest)))
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    elif chance < 0.52:  # enlarged from a small picture
        factor = rng.uniform(1.2, max(1.3, min(6, smallest / 8)))
        size = (max(4, int(width / factor)), max(4, int(height / factor)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        methods = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
        method = methods[rng.integers(len(methods))]
        picture = np.asarray(cv2.resize(small, (width, height), interpolation=method), np.float32)
    elif chance < 0.6:
        reach = max(2, int(smallest * rng.uniform(0.05, 0.16)))
        kernel = np.zeros((reach, reach), np.float32)
        kernel[reach // 2] = 1
        middle = (reach / 2 - 0.5, reach / 2 - 0.5)
        turn = cv2.getRotationMatrix2D(middle, rng.uniform(0, 180), 1)
        kernel = cv2.warpAffine(kernel, turn, (reach, reach))
        picture = np.asarray(cv2.filter2D(picture, -1, kernel / max(kernel.sum(), 0.5)), np.float32)
    return picture


def _noise(picture: Picture, faintest: float, rng: np.random.Generator) -> Pixels:
    height, width = picture.shape[:2]
    if rng.random() < 0.4:
        sigma = rng.uniform(1, 22) if rng.random() < 0.35 else rng.uniform(1, 7)
        noise = rng.standard_normal((height, width, 1 if rng.random() < 0.5 else 3), np.float32)
        if rng.random() < 0.3:  # grain of a compressed film
            noise = 2 * cv2.GaussianBlur(noise, (0, 0), 1.0).reshape(height, width, -1)
        picture = picture + noise * np.float32(min(sigma, MOST_NOISE * faintest))
    if rng.random() < 0.04:
        specks = rng.random((height, width)) < rng.uniform(0.005, 0.06)
        picture[specks] = np.where(rng.random((specks.sum(), 1)) < 0.5, 0, 255)
    pixels: Pixels = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.45:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(20, 95))]
        data = cv2.imencode(".jpg", pixels, quality)[1]
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return pixels
