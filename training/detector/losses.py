"""The four losses: objectness, classes, boxes and foreground."""

import tensorflow as tf

FOCUS, OFF_PEAK_FOCUS = 2.0, 4.0
"""Exponents of the focal loss (H. Law and J. Deng, "CornerNet", 2018)."""
PEAK = 0.999
"""Targets from here on are centres."""
SMOOTHING = 4.0
"""Added to the number of centres of a batch, so that an empty one does not count too much."""
BOX_WEIGHTS = (1.0, 1.0, 2.0, 2.0)
FOREGROUND_WEIGHT = 4.0
"""Additional weight of foreground pixels: most pixels are background."""

NAMES = ("objectness", "classes", "boxes", "foreground")


def losses(cells: tf.Tensor, mask: tf.Tensor, targets: dict[str, tf.Tensor]) -> list[tf.Tensor]:
    """Return the losses in the order of `NAMES`.

    Args:
        cells: float32 [N, G, G, 15], the network's first output.
        mask: float32 [N, 2G, 2G, 1], its second output.
        targets: the fields of `targets.Targets`, batched, and `foreground`, uint8 [N, 2G, 2G].
    """
    peaks, weights = targets["peaks"], targets["weights"]
    logit = cells[..., 0]
    probability = tf.sigmoid(logit)
    centre = tf.cast(peaks >= PEAK, tf.float32)
    hit = centre * (1 - probability) ** FOCUS * tf.math.log_sigmoid(logit)
    miss = (1 - centre) * (1 - targets["ignored"]) * (1 - peaks) ** OFF_PEAK_FOCUS
    miss *= probability**FOCUS * tf.math.log_sigmoid(-logit)
    objectness = -tf.reduce_sum(hit + miss) / (tf.reduce_sum(centre) + SMOOTHING)
    total = tf.reduce_sum(weights) + 1.0
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(targets["digits"], cells[..., 1:11])
    classes = tf.reduce_sum(weights * entropy) / total
    distance = tf.abs(cells[..., 11:15] - targets["boxes"]) * tf.constant(BOX_WEIGHTS)
    boxes = tf.reduce_sum(weights[..., None] * distance) / total
    wanted = tf.cast(targets["foreground"], tf.float32) / 255
    pixels = tf.nn.sigmoid_cross_entropy_with_logits(wanted, mask[..., 0])
    foreground = tf.reduce_mean(pixels * (1 + FOREGROUND_WEIGHT * wanted))
    return [objectness, classes, boxes, foreground]
