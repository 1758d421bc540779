"""Predictions from hand-made candidates, detections and scores, against NumPy."""

import functools
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from mnist_cli import recognition
from mnist_cli.api import DigitModel
from mnist_cli.arrays import Floats
from mnist_cli.calibration import Calibration
from mnist_cli.errors import InputError
from mnist_cli.loader import Model, load_model
from mnist_cli.picture import Picture
from mnist_cli.prediction import Number
from mnist_cli.preprocessing import Prepared, crops, looks, search
from mnist_cli.preprocessing.candidates import Candidate
from mnist_cli.preprocessing.detector import Detection, Look
from mnist_cli.preprocessing.geometry import Box, Rectangle
from mnist_cli.preprocessing.parameters import CLASSICAL, DETECTOR, RECOGNITION
from mnist_cli.runtimes import Batch, Scores
from tests.drawing import picture, written
from tests.models import fake_model
from tests.running import SAMPLES, run_process

BOX = Box(1, 2, 3, 4)
LOOKS = len(DETECTOR.single_sides_px)


class FakeRuntime:
    """Returns the scores that stand in the first ten pixels of an image."""

    name = "fake"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def predict_proba(self, batch: Batch) -> Scores:
        self.sizes.append(len(batch))
        return batch[:, :10]


def _model(least_digitness: float = 0.5) -> Model:
    return fake_model(FakeRuntime(), Calibration(1.0, least_digitness))


def _scores(digit: int, probability: float) -> Floats:
    """Scores of one digit; the next two share the rest."""
    scores = np.zeros(10, np.float32)
    scores[digit] = probability
    scores[(digit + 1) % 10] += (1 - probability) / 2
    scores[(digit + 2) % 10] += (1 - probability) / 2
    return scores


def _image(scores: Floats) -> Floats:
    """An image that the fake model reads with these scores."""
    image = np.full((28, 28), 255.0, np.float32)
    image[0, :10] = 255 * (1 - scores)
    return image


def _candidate(digit: int, probability: float, box: Box = BOX) -> Candidate:
    return Candidate(_image(_scores(digit, probability)), box)


def _detected(
    scores: Floats, classes: Floats, score: float, *, share: float = 1.0, box: Box = BOX
) -> Candidate:
    detection = Detection(Rectangle(*map(float, box)), score, classes)
    return Candidate(_image(scores), box, detection, share)


def _entropy_confidence(scores: Floats) -> float:
    positive = scores[scores > 0].astype(np.float64)
    return float(1 + (positive * np.log(positive)).sum() / math.log(10))


def _logistic(score: float, share: float, scores: Floats) -> float:
    weights = (RECOGNITION.score_weight, RECOGNITION.share_weight, RECOGNITION.certainty_weight)
    parts = np.array([score, share, _entropy_confidence(scores)])
    return float(1 / (1 + np.exp(-(parts @ weights + RECOGNITION.digitness_bias))))


def test_a_certain_clean_picture_is_decided() -> None:
    [digit] = recognition.read_prepared(_model(), [Prepared((_candidate(3, 1.0),))])
    assert digit is not None
    assert (digit.digit, digit.probability) == (3, 100)
    assert (digit.digitness, digit.uncertain) == (1, False)
    assert digit.box == BOX


@pytest.mark.parametrize("probability", [0.9, 0.95, 0.99, 1.0])
def test_an_uncertain_clean_picture_is_left_to_the_detector(probability: float) -> None:
    scores = _scores(3, probability)
    confidence = _entropy_confidence(scores)
    [digit] = recognition.read_prepared(_model(), [Prepared((_candidate(3, probability),))])
    assert (digit is None) == (confidence < CLASSICAL.min_digitness)
    if digit:
        assert digit.digitness == pytest.approx(confidence, abs=1e-4)


@pytest.mark.parametrize("probability", [0.4, 0.95])
def test_a_final_picture_is_decided_by_the_model_alone(probability: float) -> None:
    candidate = _candidate(8, probability)
    [digit] = recognition.read_prepared(_model(0.8), [Prepared((candidate,), is_final=True)])
    assert digit is not None
    confidence = _entropy_confidence(_scores(8, probability))
    assert digit.digit == 8
    assert digit.digitness == pytest.approx(confidence, abs=1e-3)
    assert digit.uncertain == (confidence < 0.8)
    np.testing.assert_allclose(digit.scores, _scores(8, probability), atol=1e-6)


def test_without_candidates_there_is_no_decision() -> None:
    model = _model()
    assert recognition.read_prepared(model, [Prepared(())]) == [None]
    assert recognition.read_prepared(model, []) == []
    assert isinstance(model.runtime, FakeRuntime) and model.runtime.sizes == []


def test_pictures_are_read_as_one_batch_in_their_order() -> None:
    model = _model()
    both = tuple(_detected(_scores(7, 0.9), _scores(7, 0.9), 0.9) for _ in range(LOOKS))
    pictures = [
        Prepared((_candidate(1, 1.0),)),
        Prepared(()),
        Prepared((_candidate(2, 0.5),)),
        Prepared(both, is_searched=True),
        Prepared((_candidate(4, 1.0),)),
    ]
    digits = recognition.read_prepared(model, pictures)
    assert [digit and digit.digit for digit in digits] == [1, None, None, 7, 4]
    assert isinstance(model.runtime, FakeRuntime)
    assert model.runtime.sizes == [3 + LOOKS]


def _product_rule(candidates: Sequence[Candidate]) -> Floats:
    """The weighted geometric mean of all probabilities, normalized; in float64."""
    product, total = np.ones(10), 0.0
    rows = [1 - np.asarray(one.image, np.float64)[0, :10] / 255 for one in candidates]
    for one, row in zip(candidates, rows, strict=True):
        if one.detection:
            classes = one.detection.classes.astype(np.float64) + RECOGNITION.detector_floor
            both = classes**RECOGNITION.detector_weight
            both *= (row + RECOGNITION.model_floor) ** RECOGNITION.model_weight
            product *= both**one.detection.score
            total += one.detection.score
    product **= 1 / max(total, RECOGNITION.min_total_score)
    for one, row in zip(candidates, rows, strict=True):
        if not one.detection:
            product *= (row + RECOGNITION.model_floor) ** RECOGNITION.classical_weight
    return np.asarray(product / product.sum(), np.float32)


@pytest.mark.parametrize("classical", [False, True])
@pytest.mark.parametrize("score", [0.05, 0.5, 0.95])
def test_the_evidence_of_all_looks_is_multiplied(classical: bool, score: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        candidates = [
            _detected(
                rng.dirichlet(np.full(10, 0.3)).astype(np.float32),
                rng.dirichlet(np.full(10, 0.3)).astype(np.float32),
                score * float(rng.uniform(0.5, 1)),
                share=float(rng.uniform(0.3, 1)),
                box=Box(index, 0, 5, 5),
            )
            for index in range(LOOKS)
        ]
        if classical:
            candidates.insert(0, _candidate(int(rng.integers(10)), 0.8, Box(9, 9, 9, 9)))
        prepared = Prepared(tuple(candidates), is_searched=True)
        [digit] = recognition.read_prepared(_model(), [prepared])
        assert digit is not None
        expected = _product_rule(candidates)
        np.testing.assert_allclose(digit.scores, expected, atol=1e-4)
        assert digit.digit == int(np.argmax(digit.scores))
        detections = [one.detection.score for one in candidates if one.detection]
        share = sum(one.share for one in candidates) / LOOKS
        scores = np.array(digit.scores)
        confidence = _logistic(sum(detections) / LOOKS, share, scores)
        assert digit.digitness == pytest.approx(confidence, abs=1e-4)


def test_the_crop_that_supports_the_answer_best_is_shown() -> None:
    weak = _detected(_scores(5, 0.9), _scores(5, 0.9), 0.3, box=Box(0, 0, 5, 5))
    best = _detected(_scores(5, 0.8), _scores(5, 0.9), 0.9, box=Box(10, 0, 5, 5))
    other = _detected(_scores(3, 0.9), _scores(5, 0.9), 0.95, box=Box(20, 0, 5, 5))
    prepared = Prepared((weak, best, other), is_searched=True)
    [digit] = recognition.read_prepared(_model(), [prepared])
    assert digit is not None
    assert (digit.digit, digit.box) == (5, best.box)
    assert digit.image is best.image


def test_the_crop_of_the_fast_path_is_shown_if_a_detection_agrees() -> None:
    page = _candidate(5, 1.0, Box(0, 0, 100, 100))
    looks = [_detected(_scores(5, 0.9), _scores(5, 0.9), 0.8, box=Box(30, 30, 20, 40))] * LOOKS
    [digit] = recognition.read_prepared(_model(), [Prepared((page, *looks), is_searched=True)])
    assert digit is not None
    assert digit.box == (30, 30, 20, 40)
    exact = _candidate(5, 0.95, Box(31, 32, 17, 36))
    [digit] = recognition.read_prepared(_model(), [Prepared((exact, *looks), is_searched=True)])
    assert digit is not None
    assert digit.box == exact.box and digit.image is exact.image


def test_confidence_grows_with_score_share_and_agreement() -> None:
    def confidence(score: float, share: float, seen: int, read: int) -> float:
        looks = [_detected(_scores(read, 0.95), _scores(seen, 0.95), score, share=share)] * LOOKS
        [digit] = recognition.read_prepared(_model(), [Prepared(tuple(looks), is_searched=True)])
        assert digit is not None
        return digit.digitness

    sure = confidence(0.95, 1, 4, 4)
    assert sure > 0.8
    assert confidence(0.5, 1, 4, 4) < sure  # a faint peak
    assert confidence(0.95, 0.5, 4, 4) < sure - 0.15  # one of two digits
    assert confidence(0.95, 1, 4, 9) < sure  # the networks disagree
    assert confidence(0.2, 0.5, 4, 9) < 0.05


def test_a_search_without_detections_is_uncertain() -> None:
    prepared = Prepared((_candidate(6, 0.9),), is_searched=True)
    [digit] = recognition.read_prepared(_model(), [prepared])
    assert digit is not None
    assert digit.digit == 6
    assert digit.digitness < 0.01 and digit.uncertain


@pytest.mark.parametrize("name", ["house-number-407.png", "colour-4.png"])
def test_a_gray_picture_is_searched_without_colours_but_read_the_same(name: str) -> None:
    model, gray = load_model("k_cnn"), Image.open(SAMPLES / name).convert("L")
    one, same = Picture(gray), Picture(gray.convert("RGB"))
    assert (one.image.mode, same.image.mode) == ("L", "RGB")
    assert recognition.read_number(model, one) == recognition.read_number(model, same)
    found = [search(picture, Prepared(())).candidates for picture in (one, same)]
    for crop, other in zip(*found, strict=True):
        assert (crop.box, crop.share) == (other.box, other.share)
        np.testing.assert_array_equal(crop.image, other.image)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Look:
    """A number of three digits and a detection below the threshold, in two lines."""
    boxes = {(0, 40, 10, 60): 0.9, (12, 0, 22, 20): 0.8, (0, 1, 10, 21): 0.7, (40, 0, 50, 20): 0.3}
    detections = [
        Detection(Rectangle(*map(float, box)), score, _scores(number, 0.9))
        for number, (box, score) in enumerate(boxes.items())
    ]
    look = Look(Rectangle(0, 0, 60, 60), (1.0, 1.0), detections, np.zeros((38, 38), np.float32))
    monkeypatch.setattr(looks, "look_for_number", lambda rgb: look)
    digits = [_image(_scores(number, 0.9)) for number in range(4)]
    monkeypatch.setattr(crops, "crop_detection", lambda rgb, look, index: digits[index])
    return look


def test_a_number_is_the_product_of_both_networks(seen: Look) -> None:
    number = recognition.read_number(_model(), picture(Image.new("RGB", (60, 60))))
    assert number.text == "21\n0"
    for digit, value in zip(number.digits, (2, 1, 0), strict=True):
        detection = seen.detections[value]
        read, found = _scores(value, 0.9), detection.classes
        product = (found + RECOGNITION.detector_floor) * (
            read + RECOGNITION.model_floor
        ) ** RECOGNITION.number_model_weight
        np.testing.assert_allclose(digit.scores, product / product.sum(), atol=1e-4)
        assert digit.digit == value
        confidence = _logistic(detection.score, 1, np.array(digit.scores))
        assert digit.digitness == pytest.approx(confidence, abs=1e-4)
        assert digit.box == detection.box.rounded()


def test_a_crop_without_ink_is_no_digit(seen: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    page = picture(Image.new("RGB", (60, 60)))
    monkeypatch.setattr(crops, "crop_detection", lambda rgb, look, index: None)
    model = _model()
    assert recognition.read_number(model, page).digits == ()
    assert isinstance(model.runtime, FakeRuntime) and model.runtime.sizes == []


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("k_cnn")


def _pictures() -> list[Picture]:
    clean, _ = written("4")
    uneven = (clean * np.linspace(1, 0.6, clean.shape[1])).astype(np.uint8)
    pair, _ = written("58")
    pages = [clean, uneven, 255 - uneven, pair, written("7", height=20)[0]]
    return [picture(page) for page in pages]


def test_many_pictures_are_read_as_one_by_one(model: Model) -> None:
    pictures = _pictures()
    batch = DigitModel(model).predict_many(pictures)
    for one, digit in zip(pictures, batch, strict=True):
        single = recognition.read_digit(model, one)
        assert digit == single
        np.testing.assert_array_equal(digit.image, single.image)


def test_threads_give_the_same_answers(model: Model) -> None:
    pictures = _pictures() * 4
    read = functools.partial(recognition.read_digit, model)
    expected = [read(one) for one in pictures]
    numbers = [recognition.read_number(model, one) for one in pictures]
    with ThreadPoolExecutor(6) as threads:
        digits = list(threads.map(read, pictures))
        assert numbers == list(
            threads.map(functools.partial(recognition.read_number, model), pictures)
        )
    assert digits == expected


def test_a_blank_picture_has_no_digit(model: Model) -> None:
    blank = picture(np.full((50, 60), 200, np.uint8))
    with pytest.raises(InputError, match="no digit in the picture"):
        recognition.read_digit(model, blank)
    assert recognition.read_number(model, blank) == Number("", ())


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (("MNIST-7.png", "off-centre-2.png", "printed-5.png"), 0),
        (("--preprocess", "plain", "house-number-407.png"), 0),
        (("--multi", "house-number-407.png"), 1),
    ],
    ids=["clean", "plain", "multi"],
)
def test_the_detector_is_loaded_only_if_it_is_needed(
    arguments: tuple[str, ...], loaded: int
) -> None:
    program = (
        "import sys\n"
        "from mnist_cli.cli import main\n"
        "from mnist_cli.terminal import Terminal\n"
        "code = main(sys.argv[1:], Terminal(sys.stdin.buffer, sys.stdout, sys.stderr))\n"
        "from mnist_cli.preprocessing.detector import load_detector\n"
        "print(load_detector.cache_info().misses, file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    result = run_process(
        "predict", *arguments, program=[sys.executable, "-c", program], cwd=SAMPLES
    )
    assert (result.code, result.stderr) == (0, f"{loaded}\n")
