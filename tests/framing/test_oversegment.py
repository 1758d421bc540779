"""Cuts against shortest paths of SciPy."""

import numpy as np
import pytest
from scipy.sparse import coo_array, csgraph

from mnist_cli.arrays import Floats
from mnist_cli.framing.oversegment import (
    MAX_CUT_INK,
    MIN_PIECE_WIDTH,
    SIDESTEP_COST,
    oversegment,
)


def _cheapest(foreground: Floats, column: int) -> float:
    """The cost of the cheapest path through a column of the middle row, from Dijkstra."""
    height, width = foreground.shape
    number = np.arange(height * width).reshape(height, width)
    edges = []
    for step in (-1, 0, 1):
        source = number[:-1, max(-step, 0) : width - max(step, 0)]
        target = number[1:, max(step, 0) : width - max(-step, 0)]
        # SciPy takes a weight of zero for no edge.
        cost = foreground.ravel()[target] + SIDESTEP_COST * abs(step) + 1e-9
        edges.append((cost.ravel(), source.ravel(), target.ravel()))
    cost, source, target = (np.concatenate(part) for part in zip(*edges, strict=True))
    graph = coo_array((cost, (source, target)), (number.size, number.size)).tocsr()
    middle = number[height // 2, column]
    below = csgraph.dijkstra(graph, indices=middle)[number[-1]].min()
    above = csgraph.dijkstra(graph.T, indices=middle)[number[0]]
    # Reversed edges count the middle instead of the first row.
    above += foreground[0] - foreground[height // 2, column]
    return float(above.min() + below + foreground[height // 2, column])


@pytest.mark.parametrize("shape", [(9, 12), (24, 30), (31, 17)])
def test_cuts_are_the_cheapest_paths(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for density in (0.2, 0.5, 0.8):
        foreground = (rng.random(shape) * (rng.random(shape) < density)).astype(np.float32)
        cuts = oversegment(foreground, 2 * shape[0])
        assert cuts.shape[0] > 0 and cuts.shape[1] == shape[0]
        for cut in cuts:
            steps = np.abs(np.diff(cut))
            assert steps.max() <= 1
            cost = foreground[np.arange(shape[0]), cut].sum() + SIDESTEP_COST * steps.sum()
            assert cost == pytest.approx(_cheapest(foreground, cut[shape[0] // 2]), abs=1e-4)


def test_two_digits_that_touch() -> None:
    foreground = np.zeros((40, 60), np.float32)
    foreground[:, :26] = foreground[:, 34:] = 1
    foreground[30:33] = 1
    cuts = oversegment(foreground, 40)
    assert any(((cut >= 26) & (cut < 34)).all() for cut in cuts)
    assert (np.diff([0, *cuts[:, 20], 60]) >= MIN_PIECE_WIDTH * 40).all()
    assert (foreground[np.arange(40), cuts].sum(axis=1) <= MAX_CUT_INK * 40).all()


def test_solid_foreground_is_not_cut() -> None:
    assert len(oversegment(np.ones((40, 60), np.float32), 40)) == 0
