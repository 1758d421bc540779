"""Which tensors of a SavedModel are the image and the ten scores, told from its signatures."""

from dataclasses import dataclass
from typing import TypeAlias, TypedDict

from mnist_cli.errors import ModelError


class TensorInfo(TypedDict):
    """A tensor of a signature."""

    name: str
    dtype: str
    shape: list[int | None] | None
    """None for an unknown size, or as a whole for an unknown rank."""


class Signature(TypedDict):
    """The tensors that a model takes and returns, by their keys, such as `image` and `scores`."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]
    method: str
    """`tensorflow/serving/predict`, for instance."""


Signatures: TypeAlias = dict[str, Signature]
"""The signatures of a model by name, such as `serving_default`."""

IMAGE_SHAPES = ([784], [28, 28], [28, 28, 1])
EXPECTED = "one float32 input [N,784], [N,28,28] or [N,28,28,1] and one float32 output [N,10]"
# A classifier of tf.estimator answers logits and probabilities side by side.
PREFERRED_OUTPUTS = ("probabilities", "scores", "score", "output")


@dataclass(frozen=True)
class TensorNames:
    """The tensor names of the image and of the scores."""

    image: str
    scores: str


def select_tensors(signatures: Signatures) -> TensorNames:
    """Find them in `serving_default`, or else in the first signature that fits.

    Raises:
        ModelError: no signature fits; the message prints those that were found.
    """
    for name in sorted(signatures, key=lambda name: (name != "serving_default", name)):
        images = [info for info in signatures[name]["inputs"].values() if _is_image(info)]
        outputs = {
            key: info for key, info in signatures[name]["outputs"].items() if _may_be_scores(info)
        }
        chosen = [outputs[key] for key in PREFERRED_OUTPUTS if key in outputs]
        if len(outputs) == 1:
            chosen = list(outputs.values())
        if len(images) == 1 and chosen:
            return TensorNames(images[0]["name"], chosen[0]["name"])
    raise ModelError(f"does not fit: expected {EXPECTED}; found {signatures_text(signatures)}")


def signatures_text(signatures: Signatures) -> str:
    """All signatures in one line: `serving_default(x: float32 [N,5]) -> y: float32 [N,3]`."""
    if not signatures:
        return "no signature and none of the tensor names of the original models"
    return "; ".join(
        f"{name}({_tensors(signature['inputs'])}) -> {_tensors(signature['outputs']) or 'nothing'}"
        for name, signature in sorted(signatures.items())
    )


def shape_text(shape: list[int | None] | None) -> str:
    """A shape as people write it: `[N,28,28,1]`, `[]` for a scalar, `[...]` if it is unknown."""
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


def _is_image(info: TensorInfo) -> bool:
    shape = info["shape"]
    return (
        info["dtype"] == "float32"
        and shape is not None
        and shape[:1] == [None]
        and shape[1:] in IMAGE_SHAPES
    )


def _may_be_scores(info: TensorInfo) -> bool:
    shape = info["shape"]
    return info["dtype"] == "float32" and (
        shape is None or (len(shape) == 2 and shape[0] is None and shape[1] in (10, None))
    )
