"""Counts the files, errors and digits of a batch."""

import time
from collections import Counter
from dataclasses import dataclass, field

from mnist_cli.records import BatchRecord


@dataclass
class Summary:
    """The counts of a batch so far."""

    files: int = 0
    failed: int = 0
    digits: Counter[int] = field(default_factory=Counter)
    resumed: int = 0
    """Files that an earlier, interrupted run recorded."""
    _started: float = field(default_factory=time.monotonic)

    def add(self, *records: BatchRecord) -> None:
        """Count records."""
        for record in records:
            self.files += 1
            if "error" in record:
                self.failed += 1
            else:
                self.digits[record["prediction"]] += 1

    def merge(self, other: "Summary") -> None:
        """Add the counts of another summary."""
        self.files += other.files
        self.failed += other.failed
        self.digits += other.digits

    @property
    def rate(self) -> float:
        """Files per second in this run."""
        return (self.files - self.resumed) / (time.monotonic() - self._started)

    def __str__(self) -> str:
        """One line: files, failures, files per second and the count of each digit."""
        resumed = f" ({self.resumed:,} from an earlier run)" if self.resumed else ""
        counts = ", ".join(f"{digit}: {count:,}" for digit, count in sorted(self.digits.items()))
        return (
            f"{self.files:,} files{resumed}, {self.failed:,} failed, {self.rate:,.0f} images/s; "
            f"digits {counts or 'none'}"
        )
