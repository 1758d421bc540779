"""What a batch was about, in a few numbers."""

import time
from collections import Counter
from dataclasses import dataclass, field

from mnist_cli.records import BatchRecord


@dataclass
class Summary:
    """Counts records."""

    files: int = 0
    failed: int = 0
    digits: Counter[int] = field(default_factory=Counter)
    resumed: int = 0
    """Files that an earlier, interrupted run has recorded."""
    _started: float = field(default_factory=time.monotonic)

    def add(self, record: BatchRecord) -> None:
        """Count a file."""
        self.files += 1
        if "error" in record:
            self.failed += 1
        else:
            self.digits[record["prediction"]] += 1

    def merge(self, other: "Summary") -> None:
        """Count the files that another summary has counted."""
        self.files += other.files
        self.failed += other.failed
        self.digits += other.digits

    @property
    def rate(self) -> float:
        """Files a second, in this run."""
        return (self.files - self.resumed) / (time.monotonic() - self._started)

    def __str__(self) -> str:
        """Files, failures, files a second, and how often each digit was read."""
        resumed = f" ({self.resumed:,} by an earlier run)" if self.resumed else ""
        counts = ", ".join(f"{digit}: {count:,}" for digit, count in sorted(self.digits.items()))
        return (
            f"{self.files:,} files{resumed}, {self.failed:,} failed, {self.rate:,.0f} images/s; "
            f"digits {counts or 'none'}"
        )
