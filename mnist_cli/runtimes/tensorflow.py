"""The reference engine: any fitting SavedModel of TensorFlow 1 or 2, run by TensorFlow itself."""

from pathlib import Path

from mnist_cli.native_output import native_output_hidden
from mnist_cli.runtimes import Batch
from mnist_cli.runtimes.frozen_graph import classifier, import_tensorflow


class TensorFlowRuntime:
    """Runs a SavedModel as it is; safe to call from many threads."""

    name = "tensorflow"

    def __init__(self, folder: Path) -> None:
        """Load the model.

        Raises:
            ModelError: TensorFlow is not installed, or the model is damaged or does not fit.
        """
        self._tf = import_tensorflow()
        with native_output_hidden():
            self._function = classifier(folder)

    def predict_proba(self, batch: Batch) -> Batch:
        """Pictures [N, 784] float32, ink 1.0 and paper 0.0 -> probabilities [N, 10] float32."""
        probabilities: Batch = self._function(self._tf.constant(batch)).numpy()
        return probabilities
