"""Minimal script that reads a folder of pictures with OpenCV and ONNX Runtime.

    pip install opencv-python-headless onnxruntime
    python opencv_peer.py MODEL.onnx FOLDER REDUCTION

One process on each core decodes a picture in gray, reduced by 1, 2, 4 or 8; separates ink and
paper by Otsu's threshold; and normalizes the largest contour as in MNIST.
"""

import json
import multiprocessing
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

FLAGS = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
# Chunks of files for all processes together: few, as passing them on takes time, but enough to
# share the work evenly.
CHUNKS = 64


def start(model, reduction):
    global session, flags
    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    flags = FLAGS[reduction]


def read(file):
    gray = cv2.imread(file, flags)
    _, mask = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    left, top, width, height = cv2.boundingRect(max(contours, key=cv2.contourArea))
    digit = mask[top : top + height, left : left + width]
    scale = 20 / max(digit.shape)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(digit, size, interpolation=cv2.INTER_AREA)
    image = np.zeros((28, 28), np.float32)
    y, x = (28 - small.shape[0]) // 2, (28 - small.shape[1]) // 2
    image[y : y + small.shape[0], x : x + small.shape[1]] = small / 255
    scores = session.run(None, {"input": image.reshape(1, 784)})[0][0]
    probability = round(100 * float(scores.max()), 2)
    return {"file": file, "prediction": int(scores.argmax()), "probability": probability}


if __name__ == "__main__":
    model, folder, reduction = sys.argv[1:]
    files = sorted(map(str, Path(folder).iterdir()))
    with multiprocessing.Pool(initializer=start, initargs=(model, int(reduction))) as pool:
        for record in pool.imap(read, files, chunksize=max(1, len(files) // CHUNKS)):
            print(json.dumps(record), flush=True)
