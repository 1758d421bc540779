"""The reference engine: any fitting SavedModel of TensorFlow 1 or 2, run by TensorFlow itself."""

from pathlib import Path

from mnist_cli.native_output import native_output_hidden
from mnist_cli.runtimes import Batch
from mnist_cli.runtimes.frozen_graph import load_frozen_graph


class TensorFlowRuntime:
    """Runs a SavedModel as it is; safe to call from many threads."""

    name = "tensorflow"

    def __init__(self, folder: Path) -> None:
        """Load the model.

        Raises:
            ModelError: TensorFlow is not installed, or the model is damaged or does not fit.
        """
        with native_output_hidden():
            self.graph = load_frozen_graph(folder)

    def predict_proba(self, batch: Batch) -> Batch:
        """Pictures [N, 784] float32, ink 1.0 and paper 0.0 -> probabilities [N, 10] float32."""
        return self.graph.predict_proba(batch)
