"""Listing files: the same as `find | LC_ALL=C sort`."""

import errno
import io
import itertools
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnist_cli.batch import sorting
from mnist_cli.batch.listing import Listing, output_file_ids
from mnist_cli.chunks import chunked, growing_chunks
from mnist_cli.errors import InputError, UsageError


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files and folders with random names, hidden ones, links, a loop and a pipe."""
    top = tmp_path_factory.mktemp("tree")
    rng = random.Random(11)
    folders = [top]
    for _ in range(300):
        path = rng.choice(folders) / os.fsdecode(bytes(rng.choices(b"ab.- \n!\xff\xc3", k=3)))
        if path.exists():
            continue
        if rng.random() < 0.3:
            path.mkdir()
            folders.append(path)
        else:
            path.touch()
    (top / "broken").symlink_to("nowhere")
    (top / "folder").symlink_to(folders[3])
    (folders[4] / "loop").symlink_to(top)
    os.mkfifo(top / "pipe")
    (top / "pipe-link").symlink_to("pipe")
    (top / "device-link").symlink_to("/dev/zero")
    return top


def _find(top: Path, *options: str) -> list[str]:
    """The paths of `find` in byte order, without hidden ones; `-L` follows links."""
    is_file = ["(", "-type", "f", "-o", "-type", "l", ")"]
    command = ["find", "-L", str(top), "-mindepth", "1", "-name", ".*", "-prune", "-o", *is_file]
    found = subprocess.run([*command, *options, "-print0"], capture_output=True, check=False)
    ordered = subprocess.run(
        ["sort", "-z"],
        input=found.stdout,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C"},
        check=True,
    )
    return [os.fsdecode(path) for path in ordered.stdout.split(b"\0")[:-1]]


def _files(listing: Listing, stdin: io.BufferedIOBase | None = None) -> list[str]:
    return [file.file for file in listing.files(stdin or io.BytesIO())]  # type: ignore[arg-type]


@pytest.mark.parametrize("run_names", [1, 2, 7, 200_000])
def test_a_tree_is_listed_in_the_order_of_its_bytes(
    tree: Path, run_names: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "RUN_NAMES", run_names)
    monkeypatch.setattr(sorting, "CHUNK_NAMES", 2)
    expected = _find(tree)
    assert len(expected) > 150
    top = Listing((str(tree),))
    assert _files(top) == expected
    assert top.count() == len(expected)


def test_patterns_and_subfolders(tree: Path) -> None:
    source = (str(tree),)
    either = ["(", "-name", "a*", "-o", "-name", "*[-b]", ")"]
    assert _files(Listing(source, ("a*", "*[-b]"))) == _find(tree, *either)
    flat = [path for path in _find(tree) if Path(path).parent == tree]
    assert _files(Listing(source, recursive=False)) == flat


def test_excluded_files_are_skipped_under_any_name(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
    os.link(tmp_path / "b", tmp_path / "d")
    (tmp_path / "e").symlink_to("c")
    with (tmp_path / "c").open("w") as stdout:
        excluded = output_file_ids(stdout, tmp_path / "b")
    assert _files(Listing((str(tmp_path),), excluded=excluded)) == [str(tmp_path / "a")]
    assert output_file_ids(io.StringIO(), tmp_path / "missing") == frozenset()


def test_a_circular_link_does_not_hide_other_files(tmp_path: Path) -> None:
    (tmp_path / "circular").symlink_to("circular")
    (tmp_path / "file").touch()
    listing = Listing((str(tmp_path),))
    assert _files(listing) == [str(tmp_path / "circular"), str(tmp_path / "file")]
    assert listing.count() == 2


class _ByteByByte(io.BytesIO):
    def read1(self, size: int | None = -1) -> bytes:
        return self.read(1)


@pytest.mark.parametrize("null", [False, True])
def test_paths_on_stdin(null: bool) -> None:
    paths = ["a b", "\udcff", "c\n" if null else "c", "d"]
    end = b"\0" if null else b"\n"
    content = end + end.join(map(os.fsencode, paths))
    for stdin in (io.BytesIO(content), io.BytesIO(content + end), _ByteByByte(content)):
        assert _files(Listing(("-",), null=null), stdin) == paths
    assert Listing(("-",)).count() is None


def test_lists_from_windows() -> None:
    content = b"\xef\xbb\xbfa b\r\n\r\nc\n\xef\xbb\xbfd\re\r\n"
    for stdin in (io.BytesIO(content), _ByteByByte(content)):
        assert [*map(os.fsencode, _files(Listing(("-",)), stdin))] == [
            b"a b",
            b"c",
            b"\xef\xbb\xbfd\re",
        ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\r\nb\r\n".encode("utf-16"), "is UTF-16; convert it to UTF-8"),
        (b"\xfe\xff" + "a\nb\n".encode("utf-16-be"), "is UTF-16; convert it to UTF-8"),
        ("a\nb\n".encode("utf-16-le"), "contains NUL; use --null for paths that end with NUL"),
        (b"a\0b\0", "contains NUL; use --null for paths that end with NUL, as from `find -print0`"),
        (b"a\n" * 100_000 + b"b\0", "contains NUL; use --null"),
        (b"\xff\xd8\xff" * 100_000, "stdin is not a list of paths: it has more than 65,536 bytes"),
    ],
)
def test_what_is_not_a_list_of_paths(content: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _files(Listing(("-",)), io.BytesIO(content))


def test_a_list_that_cannot_be_read() -> None:
    class Broken(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(InputError, match=r"^cannot read the list of paths on stdin: Input/output"):
        _files(Listing(("-",)), Broken())


def test_a_missing_source(tmp_path: Path) -> None:
    Listing((str(tmp_path), "-", tmp_path.as_uri())).check()
    with pytest.raises(InputError, match=r"^none: No such file or directory$"):
        Listing((str(tmp_path), "none")).check()
    with pytest.raises(InputError, match=r"^file:///none: no such file or folder$"):
        Listing(("file:///none",)).check()
    with pytest.raises(InputError, match=r"^/dev/null: is neither a folder nor a regular file; "):
        Listing(("/dev/null",)).check()


def test_uris_are_listed_as_paths_are(tmp_path: Path) -> None:
    for name in (
        "9.png",
        "a b%.png",
        "ü#.png",
        ".hidden",
        "a/7.png",
        "a-b/1.png",
        "a.png",
        "a/b/c",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for recursive, globs in itertools.product((True, False), ((), ("a*",))):
        expected = [
            Path(file).as_uri() for file in _files(Listing((str(tmp_path),), globs, recursive))
        ]
        assert _files(Listing((tmp_path.as_uri(),), globs, recursive)) == expected


def test_growing_chunks() -> None:
    chunks = list(growing_chunks(range(50), first=2, largest=8, each=2))
    assert [len(chunk) for chunk in chunks] == [2, 2, 4, 4, 8, 8, 8, 8, 6]
    assert [item for chunk in chunks for item in chunk] == list(range(50))
    assert list(growing_chunks([], first=2, largest=8, each=2)) == []


def test_chunked_takes_no_more_than_it_needs() -> None:
    assert list(chunked("abcdefg", 3)) == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert list(chunked("abc", 3)) == [["a", "b", "c"]]
    assert list(chunked("", 3)) == []
    numbers: Iterator[int] = itertools.count()
    assert next(chunked(numbers, 3)) == [0, 1, 2]
    assert next(numbers) == 3
