"""`mnist serve` with pictures that need the detector: the same answers, without delaying others."""

import base64
import io
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mnist_cli import images, preprocessing, recognition
from mnist_cli.loader import load_model
from tests.drawing import png
from tests.running import SAMPLES, run
from tests.serving import Server, request_head, serving

# Runs `mnist` with a slow detector that logs its thread.
SLOW_DETECTOR = """
import sys, threading, time
from mnist_cli.preprocessing.detector import Detector
look = Detector.look
def slow_look(*arguments):
    print("detector in", threading.current_thread().name, file=sys.stderr, flush=True)
    time.sleep(1)
    return look(*arguments)
Detector.look = slow_look
from mnist_cli.__main__ import main
main()
"""


def _sample(digit: int) -> Image.Image:
    return Image.open(SAMPLES / f"MNIST-{digit}.png").convert("L")


def _uneven(digit: int) -> npt.NDArray[np.uint8]:
    """A digit on a background like that of a photograph: uneven light, texture and noise."""
    rng = np.random.default_rng(digit)
    side = 100
    ink = np.zeros((side, side), np.float32)
    ink[10:90, 10:90] = 1 - np.asarray(_sample(digit).resize((80, 80)), np.float32) / 255
    y, x = np.mgrid[:side, :side] / side
    light = 220 - 110 * np.hypot(x - 0.2, y - 0.3) + 10 * np.sin(25 * x + 9 * y)
    gray = light * (1 - 0.75 * ink) + rng.normal(0, 8, (side, side))
    return np.asarray(np.clip(gray, 0, 255), np.uint8)


def _pixels_json(pixels: npt.NDArray[np.uint8]) -> bytes:
    return json.dumps({"picArray": pixels.tolist()}).encode()


PICTURES = {
    "clean": (SAMPLES / "off-centre-2.png").read_bytes(),
    "normalized": png(_sample(5)),
    "colour": (SAMPLES / "colour-4.png").read_bytes(),
    "uneven": png(_uneven(3)),
    "three digits": (SAMPLES / "house-number-407.png").read_bytes(),
}
NEED_DETECTOR = ("uneven", "three digits")


@pytest.mark.parametrize("name", PICTURES)
def test_only_unclear_pictures_need_the_detector(name: str) -> None:
    prepared = preprocessing.prepare_clean(images.decode(PICTURES[name]))
    [digit] = recognition.read_prepared(load_model("k_cnn"), [prepared])
    assert (digit is None) == (name in NEED_DETECTOR)


def _command_line(tmp_path: Path, picture: bytes, *options: str) -> dict[str, Any]:
    file = tmp_path / "picture"
    file.write_bytes(picture)
    record = run("predict", *options, file).record
    del record["file"]
    return record


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_the_same_digit_on_every_path(
    server: Server, name: str, tmp_path: Path
) -> None:
    picture = PICTURES[name]
    expected = _command_line(tmp_path, picture, "--scores")
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    bodies = {
        "image/png": picture,
        "multipart/form-data; boundary=x": head + picture + b"\r\n--x--\r\n",
    }
    image = Image.open(io.BytesIO(picture))
    if image.mode == "L":
        bodies["application/json"] = _pixels_json(np.asarray(image))
    for kind, body in bodies.items():
        answer = server.ask("POST", "/predict?scores=1", body, Content_Type=kind)
        assert answer.json == expected
    instance = {"b64": base64.b64encode(picture).decode()}
    answer = server.ask("POST", "/v1/models/k_cnn:predict", json_body={"instances": [instance]})
    assert answer.json == {"predictions": [expected["scores"]]}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_the_same_digits_on_every_path(
    server: Server, name: str, tmp_path: Path
) -> None:
    picture = PICTURES[name]
    expected = _command_line(tmp_path, picture, "--multi", "--scores")
    assert expected["digits"]
    for path in ("/predict?scores=1&multi=1", "/predict?multi=true&scores=1&preprocess=auto"):
        assert server.ask("POST", path, picture, Content_Type="image/png").json == expected


def test_the_number_on_a_sign(server: Server) -> None:
    picture = PICTURES["three digits"]
    record = server.ask("POST", "/predict?multi=1", picture, Content_Type="image/png").json
    assert record["text"] == "407"
    assert 90 < record["probability"] <= 100 and "uncertain" not in record
    alone = server.ask("POST", "/predict", picture, Content_Type="image/png").json
    assert alone["uncertain"] is True


@pytest.mark.parametrize("query", ["multi=1", "multi=1&scores=1&image=1"])
def test_a_picture_without_digits_has_an_empty_text(server: Server, query: str) -> None:
    blank = {"picArray": [[200] * 60] * 40}
    answer = server.ask("POST", f"/predict?{query}", json_body=blank)
    assert answer.status == 200
    assert answer.json == {"text": "", "digits": [], "model": "k_cnn"}


def test_every_answer_belongs_to_its_request(server: Server) -> None:
    blank = np.full((50, 50), 99, np.uint8)
    clean = [np.asarray(_sample(n)) for n in range(8)]
    pictures = [*clean, blank, *map(_uneven, range(1, 7)), blank]
    requests = []
    for pixels in pictures:
        body = _pixels_json(pixels)
        requests.append(request_head(len(body), "application/json", "?scores=1&image=1") + body)
    assert len(requests) == 16
    one_by_one = [server.ask_together([request])[0] for request in requests]
    assert [answer["prediction"] for _, answer in one_by_one[:8]] == list(range(8))
    errors = [answer["error"] for status, answer in one_by_one if status == 400]
    assert len(errors) == 2 and "no digit in the picture" in errors[0]
    together = one_by_one[::-1], requests[::-1]
    for expected, sent in ((one_by_one, requests), together):
        assert server.ask_together(sent) == expected


def test_the_detector_does_not_delay_the_event_loop() -> None:
    unclear, clean = _pixels_json(_uneven(3)), _pixels_json(np.asarray(_sample(7)))
    with serving(program=[sys.executable, "-c", SLOW_DETECTOR]) as server:
        connections = [server.connect() for _ in range(3)]
        for connection in connections:
            connection.sendall(request_head(len(unclear), "application/json") + unclear)
        time.sleep(0.1)
        for path in ("/health", "/v2/health/ready", "/health"):
            start = time.monotonic()
            assert server.ask("GET", path).status == 200
            assert time.monotonic() - start < 1
        start = time.monotonic()
        answer = server.ask("POST", "/predict", clean, Content_Type="application/json")
        assert answer.json["prediction"] == 7
        assert time.monotonic() - start < 1
        connections[0].settimeout(0)
        with pytest.raises(BlockingIOError):  # it is not answered yet
            connections[0].recv(1)
        for connection in connections:
            connection.settimeout(60)
            assert connection.recv(12) == b"HTTP/1.1 200"
            connection.close()
        code, log = server.stop()
    assert code == 0
    threads = re.findall("detector in (.*)", log)
    assert len(threads) >= 3 and set(threads) == {"waitress-0"}
    # The access log is complete: loading the detector hides messages of native libraries only.
    assert len(re.findall(r'"(?:GET|POST) ', log)) == 7


@pytest.mark.slow
def test_threads_read_pictures_at_the_same_time() -> None:
    unclear = _pixels_json(_uneven(3))
    request = request_head(len(unclear), "application/json") + unclear
    with serving("--threads", "2", program=[sys.executable, "-c", SLOW_DETECTOR]) as server:
        assert [status for status, _ in server.ask_together([request] * 2)] == [200, 200]
        _, log = server.stop()
    assert set(re.findall("detector in (.*)", log)) == {"waitress-0", "waitress-1"}


@pytest.mark.slow
def test_the_latency_includes_the_time_in_the_queue() -> None:
    unclear = _pixels_json(_uneven(3))
    request = request_head(len(unclear), "application/json") + unclear
    with serving(program=[sys.executable, "-c", SLOW_DETECTOR]) as server:
        assert [status for status, _ in server.ask_together([request] * 2)] == [200, 200]
        metrics = server.ask("GET", "/metrics").body.decode()
        _, log = server.stop()
    [total] = re.findall(r'mnist_request_seconds_sum{route="/predict"} (.*)', metrics)
    looks = len(re.findall("detector in", log))  # each takes a second
    assert 1.45 * looks < float(total) < 1.7 * looks  # the second request waits for the first


@pytest.mark.slow
def test_the_detector_costs_little_memory() -> None:
    with serving() as server:
        clean, unclear = PICTURES["clean"], PICTURES["three digits"]
        for _ in range(20):
            server.ask("POST", "/predict", clean, Content_Type="image/png")
        before = _resident_mib(server)
        for _ in range(20):
            server.ask("POST", "/predict", unclear, Content_Type="image/png")
        assert _resident_mib(server) - before < 15
        page = png(_page(400))
        for _ in range(20):
            server.ask("POST", "/predict?multi=1", page, Content_Type="image/png")
        assert _resident_mib(server) - before < 28


def _page(side: int) -> Image.Image:
    """A square page of 8x8 small digits: the second look at it is the largest one."""
    page, pitch = Image.new("L", (side, side), 255), side // 8
    for row in range(8):
        for column in range(8):
            digit = _sample((3 * row + column) % 10).resize((pitch, pitch))
            page.paste(digit, (column * pitch, row * pitch))
    return page


def _resident_mib(server: Server) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    [kib] = re.findall(r"VmRSS:\s+(\d+)", status)
    return int(kib) / 1024
