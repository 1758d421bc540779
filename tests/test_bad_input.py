"""Invalid input: one line on stderr and the right exit code."""

import io
import os
import random
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mnist_cli.formats import FORMATS
from tests.running import (
    MNIST,
    SAMPLES,
    UNPRIVILEGED_MNIST,
    run,
    run_on_terminal,
    run_process,
)

PNG = (SAMPLES / "MNIST-3.png").read_bytes()


def _png(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A grayscale PNG whose header claims a size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


BAD_FILES = {
    "empty": (b"", "the file is empty"),
    "truncated": (PNG[: len(PNG) // 2], "damaged"),
    "only the header": (PNG[:33], "damaged"),
    "corrupt pixels": (PNG[:60] + b"hello" + PNG[65:], "damaged"),
    "not a picture": (b"seven, I think", "not a picture"),
    "half a signature": (PNG[:4], "not a picture"),
    "pdf": (b"%PDF-1.7\n", "PDF is not supported; convert the picture to PNG, as pdftoppm"),
    "heic": (b"\0\0\0\x18ftypheic\0\0", "HEIC is not supported; convert the picture to JPEG"),
    "svg": (b'<?xml version="1.0"?>\n<svg width="28"/>', "SVG is not supported; convert"),
    "an icon without pictures": (b"\0\0\1\0\xff\0", "damaged"),
    "a bomb of jpeg 2000": (
        _saved(Image.new("L", (9, 9)), "JPEG2000", no_jp2=True).replace(
            b"\0\0\0\x09" * 2, b"\0\0\xff\xff" * 2
        ),
        "megapixels",
    ),
    "0x0": (_png(0, 0), "damaged"),
    "0 wide": (_png(0, 10), "damaged"),
    "60000x60000": (_png(60000, 60000), "megapixels"),
    "9000x9000": (_png(9000, 9000), "9000 x 9000 px are more than 64 megapixels"),
    "a bomb of ppm": (b"P5 60000 60000 255\n" + bytes(99), "megapixels"),
    "32-bit floats": (_saved(Image.new("F", (28, 28)), "TIFF"), "32-bit floats"),
    "32-bit integers": (_saved(Image.new("I", (28, 28), -7), "TIFF"), "32-bit integers"),
    "blank": (_saved(Image.new("L", (50, 50), "white"), "PNG"), "no digit in the picture"),
    "black": (_saved(Image.new("L", (50, 50), "black"), "PNG"), "no digit in the picture"),
    "faint": (
        _saved(Image.effect_noise((50, 50), 2).point(lambda level: level + 100), "PNG"),
        "no digit in the picture",
    ),
    "one pixel": (_saved(Image.new("L", (1, 1)), "PNG"), "no digit in the picture"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file(name: str, tmp_path: Path) -> None:
    content, message = BAD_FILES[name]
    file = tmp_path / "picture.png"
    file.write_bytes(content)
    result = run("predict", file)
    assert result.code == 3
    assert result.error.startswith(f"{file}: ")
    assert message in result.error
    assert list(result.record) == ["file", "error"]
    assert result.record["file"] == str(file)
    assert message in result.record["error"]


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_bytes_on_stdin(name: str) -> None:
    content, message = BAD_FILES[name]
    result = run("predict", "-", stdin=content)
    assert result.code == 3
    assert message in result.error


def test_every_truncation_of_a_picture_gives_an_error_or_a_result() -> None:
    # Pillow accepts a PNG with all pixels, with or without the final chunk.
    for length in range(0, len(PNG), 7):
        result = run("predict", "-", stdin=PNG[:length])
        assert result.code in (0, 3)
        if result.code == 0:
            assert length > len(PNG) - 20


def test_damaged_pictures_of_every_format_give_one_line_each(tmp_path: Path) -> None:
    chance = random.Random(0)
    files: list[Path] = []
    picture = Image.open(SAMPLES / "MNIST-3.png")
    kinds: list[tuple[str, dict[str, str]]] = [(format, {}) for format in FORMATS]
    for compression in ("tiff_lzw", "tiff_adobe_deflate"):
        kinds.append(("TIFF", {"compression": compression}))
    for format, options in kinds:
        whole = _saved(picture, format, **options)
        for length in (len(whole) // 3, len(whole) // 2, len(whole) - 30, len(whole)):
            for _ in range(3):
                damaged = bytearray(whole[:length])
                for _ in range(4):
                    damaged[chance.randrange(min(length, 300))] = chance.randrange(256)
                files.append(tmp_path / f"{len(files):03d}.{format}")
                files[-1].write_bytes(damaged)
    result = run_process("predict", *files)
    assert result.code == 3
    assert [record["file"] for record in result.records] == list(map(str, files))
    failed = [record["file"] for record in result.records if "error" in record]
    lines = result.stderr.splitlines()
    assert [line.split(": ")[2] for line in lines] == failed
    assert len(failed) > len(files) / 2


def test_a_missing_file() -> None:
    result = run("predict", "none.png")
    assert result.code == 3
    assert result.error == "none.png: no such file: check the path"


def test_a_folder(tmp_path: Path) -> None:
    result = run("predict", tmp_path)
    assert result.code == 3
    assert "is a folder: list the pictures in it" in result.error


def test_no_permission(tmp_path: Path) -> None:
    file = tmp_path / "secret.png"
    file.write_bytes(PNG)
    file.chmod(0)
    result = run_process("predict", file, program=UNPRIVILEGED_MNIST)
    assert result.code == 3
    assert "permission denied" in result.error


def test_no_home() -> None:
    # The capability makes the files of this clone and of Python readable, wherever they are.
    user = ["setpriv", "--reuid=54321", "--clear-groups"]
    user += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    result = run_process(
        *("predict", SAMPLES / "MNIST-4.png"),
        program=[
            *("env", "-u", "HOME", "-u", "XDG_CACHE_HOME"),
            *(user if os.geteuid() == 0 else []),
            *MNIST,
        ],
    )
    assert (result.code, result.record["prediction"]) == (0, 4)


def test_an_endless_file_is_refused() -> None:
    result = run("predict", "/dev/zero")
    assert result.code == 3
    assert "larger than 64 MiB" in result.error


def test_a_decompression_bomb_is_not_decoded(tmp_path: Path) -> None:
    file = tmp_path / "bomb.png"
    file.write_bytes(_png(30000, 30000, bytes(50_000_000)))
    limited = f"ulimit -v 1500000; exec {sys.executable} -m mnist_cli predict {file}"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, check=False)
    assert done.returncode == 3
    assert b"megapixels" in done.stderr


def test_good_files_among_bad_ones_are_read() -> None:
    result = run("predict", SAMPLES / "MNIST-1.png", "none.png", SAMPLES / "MNIST-2.png")
    assert result.code == 3
    first, bad, second = result.records
    assert (first["prediction"], second["prediction"]) == (1, 2)
    assert bad == {"file": "none.png", "error": "no such file: check the path"}
    assert len(result.stderr.splitlines()) == 1


def test_text_reports_errors_on_stderr_only() -> None:
    result = run("predict", "--format", "text", "none.png", SAMPLES / "MNIST-2.png")
    assert result.code == 3
    assert len(result.stdout.splitlines()) == 1
    assert "none.png" in result.error


@pytest.mark.parametrize("name", ["a b.png", "a\nb.png", "a'\"b.png", "[red]b.png", "ü七.png"])
def test_odd_names(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PNG)
    for format in ("json", "text", "csv"):
        result = run("predict", "--format", format, tmp_path / name, f"{name}.none")
        assert result.code == 3
        assert len(result.stderr.splitlines()) == 1
        if format == "json":
            assert result.records[0]["file"] == str(tmp_path / name)
        elif format == "text":
            assert len(result.stdout.splitlines()) == 1


def test_a_name_that_is_not_utf_8_is_preserved(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")
    Path(name).write_bytes(PNG)
    result = run_process("predict", name)
    assert (result.code, result.stderr) == (0, "")
    assert result.record["file"] == name
    assert run_process("predict", "--format", "csv", name).code == 0
    assert run_process("predict", "--format", "text", name).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("predict",), "missing argument IMAGE..."),
        (("evaluate",), "missing option --data"),
        (("predict", "--nonsense", "x.png"), "no such option: --nonsense"),
        (("predict", "-z", "x.png"), "no such option: -z"),
        (
            ("predict", "--format", "xml", "x.png"),
            "--format: 'xml' is not one of 'text', 'json', 'jsonl', 'csv'",
        ),
        (("predict", "--format"), "option '--format' requires an argument"),
        (("predict", "--multi=yes", "x.png"), "option '--multi' does not take a value"),
        *(
            (
                ("predict", "--min-probability", value, "x.png"),
                "--min-probability: must be a number between 0 and 100",
            )
            for value in ("x", "nan", "200", "-1", "")
        ),
        (("predict-batch", "--below", "-1", "."), "--below: must be a number between 0 and 100"),
        *(
            (("serve", "--port", port), "--port: must be a whole number between 0 and 65535")
            for port in ("-1", "65536", "http", "80.5")
        ),
        (("serve", "--threads", "0"), "--threads: must be a whole number, 1 or more"),
        (("nonsense",), "no such command: nonsense"),
        (("inspect-model", "t_cnn", "t_ffnn"), "got unexpected extra argument(s) (t_ffnn)"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert (result.code, result.stdout, result.error) == (2, "", message)
    assert "--help" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "tip"),
    [
        (("predict", "--formt", "csv", "x.png"), "did you mean --format?"),
        (("predictt",), "did you mean predict?"),
        (
            ("nonsense",),
            "the commands are predict, predict-batch, serve, inspect-model, evaluate",
        ),
        (("predict",), "IMAGE...: Picture files; - reads stdin."),
        (("predict", "--model", "none", "x.png"), "choose one of e_cnn, e_ffnn, k_cnn, "),
    ],
)
def test_tips(arguments: tuple[str, ...], tip: str) -> None:
    assert run(*arguments).tip.startswith(tip)


def test_errors_are_red_on_a_terminal_only() -> None:
    arguments = ("predict", "--formt", "csv", "x.png")
    coloured = (
        "mnist: \x1b[1;31merror:\x1b[0m no such option: --formt\n"
        "mnist: \x1b[1;36mtip:\x1b[0m did you mean --format?\n"
    )
    plain = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert run_on_terminal(*arguments) == coloured
    assert run_process(*arguments).stderr == plain
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert run_on_terminal(*arguments, env=env) == plain


def test_a_traceback_only_with_debug() -> None:
    plain = run("predict", "--model", "none", SAMPLES / "MNIST-1.png")
    debug = run("predict", "--debug", "--model", "none", SAMPLES / "MNIST-1.png")
    assert plain.code == debug.code == 4
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr


def test_an_unexpected_error_is_reported_as_internal(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("mnist_cli.reshape.to_model_input", broken)
    result = run("predict", SAMPLES / "MNIST-1.png")
    assert result.code == 70
    assert "internal error: ZeroDivisionError: division by zero" in result.error
    assert "--debug" in result.tip
