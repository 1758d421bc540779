"""Minimal `tf.data` pipeline that reads a folder of pictures in batches of 256."""

import json
import sys
from pathlib import Path

import tensorflow as tf

BATCH_SIZE = 256

folder, pictures = sys.argv[1:]
classify = tf.saved_model.load(folder).signatures["serving_default"]
files = sorted(map(str, Path(pictures).iterdir()))


def read(file):
    image = tf.io.decode_png(tf.io.read_file(file), channels=1)
    ink = 1 - tf.image.resize(image, [28, 28]) / 255
    return tf.reshape(ink, [784])


dataset = (
    tf.data.Dataset.from_tensor_slices(files)
    .map(read, num_parallel_calls=tf.data.AUTOTUNE)
    .batch(BATCH_SIZE)
    .prefetch(tf.data.AUTOTUNE)
)
index = 0
for batch in dataset:
    for row in classify(input=batch)["output"].numpy():
        probability = round(100 * float(row.max()), 2)
        record = {"file": files[index], "prediction": int(row.argmax()), "probability": probability}
        print(json.dumps(record))
        index += 1
    sys.stdout.flush()
