"""Minimal FastAPI server with the same compiled model.

uvicorn --app-dir benchmarks/serving fastapi_peer:app
"""

import os
import threading

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from fastapi import FastAPI
from PIL import Image
from pydantic import BaseModel

app = FastAPI()
lock = threading.Lock()
interpreter = Interpreter(os.environ["MODEL"], num_threads=1)
interpreter.allocate_tensors()
input_index = interpreter.get_input_details()[0]["index"]
output_index = interpreter.get_output_details()[0]["index"]


class Request(BaseModel):
    picArray: list[list[float]]  # noqa: N815


@app.post("/predict")
def predict(request: Request) -> dict[str, float]:
    pixels = np.asarray(request.picArray, np.uint8)
    image = Image.fromarray(pixels).resize((28, 28), Image.Resampling.BILINEAR)
    batch = 1 - np.asarray(image, np.float32).reshape(1, 784) / 255
    with lock:
        interpreter.set_tensor(input_index, batch)
        interpreter.invoke()
        scores = interpreter.get_tensor(output_index)[0]
    digit = int(scores.argmax())
    return {"prediction": digit, "probability": round(100 * float(scores[digit]), 2)}
