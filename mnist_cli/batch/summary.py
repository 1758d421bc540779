"""Counts the files, errors and digits of a batch."""

import time
from collections import Counter
from dataclasses import dataclass, field

from mnist_cli.batch.results import BatchResult


@dataclass
class Summary:
    """The counts of a batch so far."""

    files: int = 0
    """All files, including those that failed or were skipped."""
    failed: int = 0
    skipped: int = 0
    """Files that are not pictures."""
    several_pages: int = 0
    """Files with several pages, of which only the first was read."""
    digits: Counter[int] = field(default_factory=Counter)
    resumed: int = 0
    """Files that an earlier, interrupted run recorded."""
    _started: float = field(default_factory=time.monotonic)

    def add(self, *results: BatchResult) -> None:
        """Count files."""
        for result in results:
            self.files += 1
            if "skipped" in result:
                self.skipped += 1
            elif result["error"] is not None:
                self.failed += 1
            elif "digits" in result:
                self.digits.update(digit["prediction"] for digit in result["digits"] or ())
            elif result["prediction"] is not None:
                self.digits[result["prediction"]] += 1

    def merge(self, other: "Summary") -> None:
        """Add the counts of another summary."""
        self.files += other.files
        self.failed += other.failed
        self.skipped += other.skipped
        self.several_pages += other.several_pages
        self.digits += other.digits

    @property
    def rate(self) -> float:
        """Files per second in this run."""
        return (self.files - self.resumed) / (time.monotonic() - self._started)

    @property
    def pages_warning(self) -> str:
        """What was not read of the files with several pages."""
        count = self.several_pages
        files = "1 file has" if count == 1 else f"{count:,} files have"
        return f"{files} several pages, of which only the first was read"

    def __str__(self) -> str:
        """One line: files, failures, skipped files, files per second, count of each digit."""
        resumed = f" ({self.resumed:,} from an earlier run)" if self.resumed else ""
        skipped = f", {self.skipped:,} skipped" if self.skipped else ""
        counts = ", ".join(f"{digit}: {count:,}" for digit, count in sorted(self.digits.items()))
        files = f"{self.files:,} {'file' if self.files == 1 else 'files'}"
        return (
            f"{files}{resumed}, {self.failed:,} failed{skipped}, "
            f"{self.rate:,.0f} images/s; digits {counts or 'none'}"
        )
