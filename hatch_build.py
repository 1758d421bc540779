"""Adapts the README to the package index, which does not have the other files of the repository."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PICTURE = re.compile(r"<p>.*?</p>|<img .*?>|!\[.*?\]\(.*?\)", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->\n?")
RELATIVE_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)]+)\)")


class ReadmeHook(MetadataHookInterface):
    """Omits pictures, and replaces relative links with the names of the files."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = (Path(self.root) / "README.md").read_text("utf-8")
        for pattern, replacement in ((PICTURE, ""), (COMMENT, ""), (RELATIVE_LINK, r"\1 (`\2`)")):
            text = pattern.sub(replacement, text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
