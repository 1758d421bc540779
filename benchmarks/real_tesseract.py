"""Accuracy of Tesseract on the pictures of `benchmarks.real`, in each fitting segmentation mode.

    apt-get install tesseract-ocr
    python -m benchmarks.real_tesseract --data DIR

Tesseract may only answer with digits. Its answer is compared like that of `mnist`: the digits, in
lines. The figures are means over the kinds of pictures.
"""

import argparse
import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import mean

# As text: a word, one character, a raw line; one line, one block, sparse text.
SEGMENTATION_MODES = {"single": ("8", "10", "13"), "multi": ("7", "6", "11")}


def main() -> None:
    """Read all pictures in each mode and print the accuracies."""
    parser = argparse.ArgumentParser(prog="benchmarks.real_tesseract", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.jsonl")
    data: Path = parser.parse_args().data
    labels = (data / "labels.jsonl").read_text(encoding="utf-8")
    truths = [json.loads(line) for line in labels.splitlines()]
    for folder, modes in SEGMENTATION_MODES.items():
        of_folder = [truth for truth in truths if truth["file"].startswith(f"{folder}/")]
        for mode in modes:
            with ThreadPoolExecutor(os.cpu_count()) as threads:
                right = list(threads.map(partial(is_read_right, data, mode), of_folder))
            kinds = defaultdict(list)
            for truth, is_right in zip(of_folder, right, strict=True):
                kinds[truth["kind"]].append(is_right)
            print(
                f"{folder}, --psm {mode}: {100 * mean(map(mean, kinds.values())):.1f} %", flush=True
            )


def is_read_right(data: Path, mode: str, truth: Mapping[str, str]) -> bool:
    """Whether Tesseract reads exactly the labelled digits."""
    options = ["--psm", mode, "-c", "tessedit_char_whitelist=0123456789"]
    done = subprocess.run(
        ["tesseract", str(data / truth["file"]), "stdout", *options],
        capture_output=True,
        text=True,
        check=False,  # it refuses some formats
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )
    lines = ("".join(filter(str.isdigit, line)) for line in done.stdout.splitlines())
    return "\n".join(line for line in lines if line) == truth.get("text", truth.get("label"))


if __name__ == "__main__":
    main()
