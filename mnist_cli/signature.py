"""Selects the image and score tensors of a SavedModel from its signatures."""

from dataclasses import dataclass
from typing import TypeAlias, TypedDict

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

IMAGE_SHAPES = ([784], [28, 28], [28, 28, 1])
EXPECTED = "one float32 input [N,784], [N,28,28] or [N,28,28,1] and one float32 output [N,10]"
# A classifier of tf.estimator returns both logits and probabilities.
PREFERRED_OUTPUTS = ("probabilities", "scores", "score", "output")


@dataclass(frozen=True)
class TensorNames:
    """The names of the image tensor and of the score tensor."""

    image: str
    scores: str


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


def select_tensors(signatures: Signatures) -> TensorNames:
    """Select the tensors of `serving_default`, or else of the first supported signature.

    Raises:
        ModelError: no signature is supported; the message lists all of them.
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
    raise ModelError(f"unsupported signature: expected {EXPECTED}; {_found(signatures)}")


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
