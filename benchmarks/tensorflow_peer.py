"""Minimal script that reads one picture with TensorFlow."""

import sys

import numpy as np
import tensorflow as tf
from PIL import Image

folder, file = sys.argv[1:]
model = tf.saved_model.load(folder).signatures["serving_default"]
image = Image.open(file).convert("L").resize((28, 28))
batch = 1 - np.asarray(image, np.float32).reshape(1, 784) / 255
scores = model(input=tf.constant(batch))["output"].numpy()[0]
print(scores.argmax(), 100 * scores.max())
