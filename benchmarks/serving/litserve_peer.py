"""Minimal LitServe server with the same compiled model.

python benchmarks/serving/litserve_peer.py PORT WORKERS
"""

import os
import sys

import litserve
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image


class Digits(litserve.LitAPI):
    """Predicts one picture per request."""

    def setup(self, device):
        self.interpreter = Interpreter(os.environ["MODEL"], num_threads=1)
        self.interpreter.allocate_tensors()
        self.input_index = self.interpreter.get_input_details()[0]["index"]
        self.output_index = self.interpreter.get_output_details()[0]["index"]

    def decode_request(self, request):
        pixels = np.asarray(request["picArray"], np.uint8)
        image = Image.fromarray(pixels).resize((28, 28), Image.Resampling.BILINEAR)
        return 1 - np.asarray(image, np.float32).reshape(1, 784) / 255

    def predict(self, batch):
        self.interpreter.set_tensor(self.input_index, batch)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output_index)[0]

    def encode_response(self, output):
        digit = int(output.argmax())
        return {"prediction": digit, "probability": round(100 * float(output[digit]), 2)}


if __name__ == "__main__":
    port, workers = map(int, sys.argv[1:])
    server = litserve.LitServer(Digits(), accelerator="cpu", workers_per_device=workers)
    server.run(port=port, log_level="error", generate_client_file=False)
