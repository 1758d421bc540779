"""Minimal MLServer runtime with the same compiled model."""

import os

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from fastapi import Request
from mlserver import MLModel
from mlserver.handlers import custom_handler
from PIL import Image


class Digits(MLModel):
    """Accepts the same bodies as the other servers, on a custom path."""

    async def load(self) -> bool:
        self.interpreter = Interpreter(os.environ["MODEL"], num_threads=1)
        self.interpreter.allocate_tensors()
        self.input_index = self.interpreter.get_input_details()[0]["index"]
        self.output_index = self.interpreter.get_output_details()[0]["index"]
        return True

    @custom_handler(rest_path="/predict")
    async def predict_digit(self, request: Request) -> dict:
        body = await request.json()
        pixels = np.asarray(body["picArray"], np.uint8)
        image = Image.fromarray(pixels).resize((28, 28), Image.Resampling.BILINEAR)
        batch = 1 - np.asarray(image, np.float32).reshape(1, 784) / 255
        self.interpreter.set_tensor(self.input_index, batch)
        self.interpreter.invoke()
        scores = self.interpreter.get_tensor(self.output_index)[0]
        digit = int(scores.argmax())
        return {"prediction": digit, "probability": round(100 * float(scores[digit]), 2)}
