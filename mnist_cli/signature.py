"""Selects the image and score tensors of a SavedModel from its signatures."""

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypedDict

from mnist_cli.errors import ModelError


class TensorInfo(TypedDict):
    """A tensor of a signature."""

    name: str
    dtype: str
    shape: list[int | None] | None
    """A size is None if it is unknown; the whole shape is None if the rank is unknown."""


class Signature(TypedDict):
    """The input and output tensors of a model by their keys, such as `image` and `scores`."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]
    method: str
    """Such as `tensorflow/serving/predict`."""


Signatures: TypeAlias = dict[str, Signature]
"""The signatures of a model by name, such as `serving_default`."""

SIDE = 28
"""Height and width of the images of MNIST, in pixels."""
# Other sizes are resized: from those of scikit-learn's digits to those of ImageNet's networks.
MIN_SIDE, MAX_SIDE = 8, 512
CLASS_COUNTS = (10, 11)
"""Ten digits, and in some models a class for blank images before or after them."""
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("uint8", "int32", "int64")
EXPECTED = (
    "one input for an image, such as float32 [N,784], [N,28,28] or [N,28,28,1], and one output for "
    "the scores of the ten digits, float32 [N,10]"
)
# A classifier of tf.estimator returns both logits and probabilities.
PREFERRED_OUTPUTS = ("probabilities", "scores", "score", "output")


class ImageLayout(NamedTuple):
    """How the input of a model arranges the pixels of one image."""

    shape: tuple[int, ...]
    """The shape of the tensor without the batch axis."""
    side: int
    """Height and width in pixels."""
    channel_axis: int | None
    """The axis of three equal channels, 1 or 3 in [N, 3, H, W] or [N, H, W, 3]; None for gray."""


def image_layout(shape: list[int | None] | None) -> ImageLayout | None:
    """Return the layout of an input with this shape, or None if it does not take square images.

    Axes of size 1 are ignored, so that [N,784], [N,28,28,1] and [N,1,28,28] are images. An unknown
    height and width is 28.
    """
    if shape is None or len(shape) < 2 or shape[0] not in (None, 1):
        return None
    known = [SIDE if size is None else size for size in shape[1:]]
    if None in shape[1:] and shape[1:].count(None) < 2:
        return None
    sizes = [size for size in known if size != 1]
    channel_axis = None
    if len(sizes) == 3 and 3 in (sizes[0], sizes[2]):
        channel_axis = 1 if sizes[0] == 3 else 3
        sizes.remove(3)
    side = math.isqrt(sizes[0]) if len(sizes) == 1 else sizes[0] if sizes else 0
    is_square = sizes in ([side, side], [side * side])
    if not is_square or not MIN_SIDE <= side <= MAX_SIDE:
        return None
    return ImageLayout(tuple(known), side, channel_axis)


@dataclass(frozen=True, order=True)
class TensorNames:
    """The names of the image tensor, of the score tensor and of the labels of the scores."""

    image: str
    scores: str
    labels: str | None = None


# The original models (docs/architecture.md) have no signature, but one of these pairs of tensors.
ORIGINAL_TENSORS = (
    TensorNames("input:0", "output:0"),
    TensorNames("input_input:0", "output/Softmax:0"),
)
_ORIGINAL_SIGNATURES: Signatures = {
    "serving_default": {
        "inputs": {"input": {"name": "input:0", "dtype": "float32", "shape": [None, 784]}},
        "outputs": {"output": {"name": "output:0", "dtype": "float32", "shape": [None, 10]}},
        "method": "tensorflow/serving/predict",
    }
}


def signatures_or_original(signatures: Signatures) -> Signatures:
    """Return the signatures of a model; if it has none, the one that an original model would have.

    A protocol that describes models by their signatures can then describe every supported model.
    """
    return signatures or _ORIGINAL_SIGNATURES


def takes_images(signatures: Signatures) -> bool:
    """Whether a signature has an input that could be an image."""
    return any(
        _layout(info) for signature in signatures.values() for info in signature["inputs"].values()
    )


def select_tensors(signatures: Signatures) -> TensorNames:
    """Select the image and score tensors of the signature that takes images.

    Among several, one for 28x28 pixels comes first, then `serving_default`, then the alphabet.

    Raises:
        ModelError: no signature is supported; the message lists all of them.
    """
    found = []
    for name, signature in signatures.items():
        images = [info for info in signature["inputs"].values() if _layout(info)]
        scores = _select_scores(signature["outputs"])
        if len(images) == 1 and scores:
            layout = _layout(images[0])
            assert layout is not None
            rank = (layout.side != SIDE, name != "serving_default", name)
            labels = _find_labels(signature["outputs"])
            found.append((rank, TensorNames(images[0]["name"], scores["name"], labels)))
    if not found:
        raise ModelError(f"unsupported signature: expected {EXPECTED}; {_found(signatures)}")
    return min(found)[1]


def _select_scores(outputs: dict[str, TensorInfo]) -> TensorInfo | None:
    """Select the output with scores of ten digits; among several, by the names of probabilities.

    If the names do not say, the first is as good: logits give the same probabilities.
    """
    found = {key: info for key, info in sorted(outputs.items()) if _may_be_scores(info)}
    if any(info["shape"] and info["shape"][-1] in CLASS_COUNTS for info in found.values()):
        # Outputs of unknown size are something else.
        found = {k: info for k, info in found.items() if info["shape"] and info["shape"][-1]}
    preferred = [found[key] for key in PREFERRED_OUTPUTS if key in found]
    named = [info for key, info in found.items() if _is_named(key, info, "prob", "softmax")]
    others = [info for key, info in found.items() if not _is_named(key, info, "logit")]
    return next(iter([*preferred, *named, *others, *found.values()]), None)


def _is_named(key: str, info: TensorInfo, *words: str) -> bool:
    return any(word in text.lower() for word in words for text in (key, info["name"]))


def _find_labels(outputs: dict[str, TensorInfo]) -> str | None:
    """Return the name of the only string output [N,10], which labels the scores of each image."""
    labels = [info["name"] for info in outputs.values() if _has_classes(info, ("string",))]
    return labels[0] if len(labels) == 1 else None


def _found(signatures: Signatures) -> str:
    if not signatures:
        return "the model has no signature, and no tensors named as in the original models"
    return "found " + "; ".join(
        f"{name}({_tensors(signature['inputs'])}) -> {_tensors(signature['outputs']) or 'nothing'}"
        for name, signature in sorted(signatures.items())
    )


def dims(shape: list[int | None]) -> list[int]:
    """Return a shape with -1 for unknown sizes, as in the protocols of model servers."""
    return [-1 if size is None else size for size in shape]


def shape_text(shape: list[int | None] | None) -> str:
    """Format a shape: `[N,28,28,1]`, `[]` for a scalar, `[...]` for an unknown rank."""
    if shape is None:
        return "[...]"
    sizes = ["?" if size is None else str(size) for size in shape]
    if sizes and sizes[0] == "?":
        sizes[0] = "N"
    return f"[{','.join(sizes)}]"


def _tensors(tensors: dict[str, TensorInfo]) -> str:
    return ", ".join(
        f"{key}: {info['dtype']} {shape_text(info['shape'])}"
        for key, info in sorted(tensors.items())
    )


def _layout(info: TensorInfo) -> ImageLayout | None:
    return image_layout(info["shape"]) if info["dtype"] in (*FLOATS, *INTEGERS) else None


def _may_be_scores(info: TensorInfo) -> bool:
    return (info["dtype"] in FLOATS and info["shape"] is None) or _has_classes(info, FLOATS)


def _has_classes(info: TensorInfo, dtypes: tuple[str, ...]) -> bool:
    """Whether a tensor is [N, 10] or [N, 11], apart from axes of size 1 and unknown sizes."""
    shape = info["shape"]
    if info["dtype"] not in dtypes or not shape or shape[0] not in (None, 1):
        return False
    sizes = [size for size in shape[1:] if size != 1]
    return len(sizes) == 1 and sizes[0] in (*CLASS_COUNTS, None)
