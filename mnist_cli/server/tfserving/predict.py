"""Predicts the tensors and pictures of a request."""

from collections.abc import Iterable, Sequence

import numpy as np

from mnist_cli.errors import InputError
from mnist_cli.option_types import Preprocess
from mnist_cli.picture import Picture
from mnist_cli.recognition import read_digit
from mnist_cli.runtimes import Batch, Scores
from mnist_cli.server.metrics import count_prediction
from mnist_cli.server.model_metadata import ServedModel
from mnist_cli.server.tfserving.request import ImageInput


def predict_images(
    served: ServedModel, inputs: Iterable[ImageInput], preprocess: Preprocess
) -> Scores:
    """Return the probabilities [N, 10] of tensors and pictures, and count the predictions.

    Tensors are predicted as one batch. A picture gets the same probabilities as from `/predict`.

    Raises:
        InputError: there is no digit in a picture, or the values of a tensor are too large.
    """
    tensors: list[Batch] = []
    pictures: dict[int, Sequence[float]] = {}
    for index, (where, image) in enumerate(inputs):
        if isinstance(image, Picture):
            try:
                pictures[index] = read_digit(served.model, image, preprocess).scores
            except InputError as error:
                raise InputError(f"{where}: {error}") from error
        else:
            tensors.append(image)
    scores = np.empty((len(tensors) + len(pictures), 10), np.float32)
    if tensors:
        is_tensor = [index not in pictures for index in range(len(scores))]
        scores[is_tensor] = served.predict_proba(np.concatenate(tensors))
    for index, row in pictures.items():
        scores[index] = row
        count_prediction(served.model.name, int(scores[index].argmax()))
    return scores
