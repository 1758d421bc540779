"""`mnist predict-batch --ray`: a cluster of two nodes gives the same results as one machine."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.fs
import pyarrow.parquet
import pytest
from PIL import Image

from tests.running import IMPORT_MAIN, MNIST, ROOT, SAMPLES, run, run_process, without

pytestmark = pytest.mark.ray


class TwoNodes:
    """A Ray cluster of two nodes with one core each, and a head that does not read files.

    One of the two can be killed, and is replaced.
    """

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        self.address: str = self._cluster.address
        self._nodes: list[Any] = []
        self.replace_killed()

    def replace_killed(self) -> None:
        while len(self._nodes) < 2:
            self._nodes.append(self._cluster.add_node(num_cpus=1))

    def kill_one(self) -> None:
        """Kill one in the middle of its work: Ray may not give any to the other."""
        node = _wait_for(lambda: next(filter(_reads, self._nodes), None))
        self._cluster.remove_node(node, allow_graceful=False)
        self._nodes.remove(node)

    def end(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def nodes() -> Iterator[TwoNodes]:
    with (
        # The paths of sockets may have 107 characters.
        tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("RAY_AUTH_MODE", "disabled")  # no token in the user's home
        patch.setenv("AWS_ACCESS_KEY_ID", "any")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        patch.setenv("RAY_TMPDIR", folder)
        Path(folder, "ray").mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Ray calls deprecated in itself
            nodes = TwoNodes()
        yield nodes
        nodes.end()


@pytest.fixture
def cluster(nodes: TwoNodes) -> TwoNodes:
    nodes.replace_killed()
    return nodes


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures in folders, and all kinds of files that cannot be read."""
    top = tmp_path_factory.mktemp("ray") / "pictures"
    (top / "a" / ".hidden").mkdir(parents=True)
    (top / "a-b").mkdir()
    for place in ("9.png", "a/7 %41?.png", "a-b/ü#1.png", "a.png", ".2.png", "a/.hidden/2.png"):
        shutil.copy(SAMPLES / f"MNIST-{len(place) % 10}.png", top / place)
    (top / "empty.png").touch()
    (top / "note.png").write_text("no picture")
    (top / "a.txt").write_text("skipped")
    (top / "truncated.png").write_bytes((SAMPLES / "MNIST-0.png").read_bytes()[:200])
    (top / "gone.png").symlink_to("nowhere.png")
    with (top / "large.png").open("wb") as file:
        file.truncate(64 * 2**20 + 1)
    return top


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3,000 files of 300x300, some of them bad."""
    top = tmp_path_factory.mktemp("ray") / "many"
    top.mkdir()
    for index in range(3000):
        picture = top / f"{index:04}.png"
        if index % 900 == 700:
            picture.write_bytes(b"bad")
        elif index < 10:
            Image.open(SAMPLES / f"MNIST-{index}.png").resize((300, 300)).save(picture)
        else:
            os.link(top / f"{index % 10:04}.png", picture)
    return top


@pytest.fixture(scope="module")
def bucket(nodes: TwoNodes) -> Iterator[Callable[[str], str]]:
    """A server with the API of S3; gives the URI of what is in its bucket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    query = f"?scheme=http&endpoint_override=127.0.0.1:{port}&region=us-east-1"
    program = [sys.executable, "-m", "moto.server", "-p", str(port)]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        _wait_for(lambda: _listens(port))
        s3 = pyarrow.fs.S3FileSystem(
            scheme="http",
            endpoint_override=f"127.0.0.1:{port}",
            region="us-east-1",
            allow_bucket_creation=True,
        )
        s3.create_dir("bucket")
        yield lambda path: f"s3://bucket/{path}{query}"
        server.terminate()


def test_the_same_records_as_without_ray(cluster: TwoNodes, pictures: Path) -> None:
    arguments = ("predict-batch", "pictures", "--scores")
    local = run_process(*arguments, cwd=pictures.parent)
    ray = run_process(*arguments, "--ray", cluster.address, cwd=pictures.parent)
    assert (ray.code, ray.records) == (5, local.records)
    [summary] = ray.stderr.splitlines()
    assert summary.startswith("mnist: info: 10 files, 5 failed, 1 skipped, ")


def test_the_driver_and_then_a_node_are_killed(
    cluster: TwoNodes, many: Path, tmp_path: Path
) -> None:
    whole, table = tmp_path / "whole.csv", tmp_path / "digits.csv"
    assert run("predict-batch", many, "--output", whole).code == 5
    with _started(cluster, many, "--output", table) as batch:
        _wait_for(lambda: _size(table) > 1000)
        batch.kill()
    killed_at = _size(table)
    with _started(cluster, many, "--output", table, "--resume") as batch:
        _wait_for(lambda: _size(table) > killed_at)
        cluster.kill_one()
        assert batch.wait() == 5
        assert batch.stderr and batch.stderr.read() == b""
    assert table.read_bytes() == whole.read_bytes()


def test_from_uris_into_shards(
    cluster: TwoNodes, pictures: Path, bucket: Callable[[str], str], tmp_path: Path
) -> None:
    pyarrow.fs.copy_files(str(pictures / "a-b"), bucket("scans/a-b"))
    pyarrow.fs.copy_files(str(pictures / "a"), bucket("scans/a"))
    out = bucket("digits/")
    arguments = ("predict-batch", "--scores", "--ray", cluster.address, "--output", out)
    result = run_process(*arguments, bucket("scans"), pictures.as_uri())
    assert result.code == 5, result.stderr
    assert ": info: 11 files, 4 failed, 1 skipped, " in result.stderr
    file_system, folder = pyarrow.fs.FileSystem.from_uri(out)
    found = sorted(file_system.get_file_info(pyarrow.fs.FileSelector(folder)), key=str)
    assert [file.base_name for file in found] == ["_SUCCESS", "part-00000.jsonl"]
    with file_system.open_input_file(found[1].path) as shard:
        records = [json.loads(line) for line in shard.read().splitlines()]
    # pyarrow passes over links that lead nowhere.
    local = run("predict-batch", "--scores", pictures, "--glob", "[!g]*").records
    assert [_without_file(record) for record in records[2:]] == [
        _without_file(record) for record in local
    ]
    assert [record["file"] for record in records[2:]] == [
        Path(record["file"]).as_uri() for record in local
    ]
    assert [record["file"] for record in records[:2]] == [
        bucket("scans/a-b/%C3%BC%231.png"),
        bucket("scans/a/7%20%2541%3F.png"),
    ]
    again = run_process(*arguments, pictures.as_uri())
    assert (again.code, again.error) == (74, f"{out} is not empty")


def test_shards_inside_a_source(cluster: TwoNodes, pictures: Path) -> None:
    out = f"{pictures}/digits/"
    result = run_process("predict-batch", str(pictures), "--ray", cluster.address, "--output", out)
    assert (result.code, result.stdout) == (74, "")
    assert f"/digits is inside {pictures}, which is read" in result.error
    assert not Path(out).exists()


def test_shards_of_parquet(cluster: TwoNodes, tmp_path: Path) -> None:
    top = tmp_path / "small"
    top.mkdir()
    Image.open(SAMPLES / "MNIST-4.png").resize((28, 28)).save(top / "00000.png")
    for index in range(1, 12_000):
        os.link(top / "00000.png", top / f"{index:05}.png")
    for index in (7000, 3000, 11_000):
        (top / f"{index:05}.png").unlink()
        (top / f"{index:05}.png").write_text("no picture")
    local = run("predict-batch", "-m", "t_ffnn", top, "--below", "50").records
    result = run_process(
        *("predict-batch", "-m", "t_ffnn", str(top), "--below", "50", "--ray", cluster.address),
        *("--output", f"{tmp_path}/digits/", "--format", "parquet"),
    )
    assert result.code == 5
    assert ": info: 12,000 files, 3 failed, " in result.stderr
    assert sorted(file.name for file in (tmp_path / "digits").iterdir()) == [
        "_SUCCESS",
        "part-00000.parquet",
        "part-00001.parquet",
    ]
    table = pyarrow.parquet.read_table(tmp_path / "digits").to_pylist()
    assert list(table[0]) == [
        "file",
        "prediction",
        "probability",
        "model",
        "uncertain",
        "error",
        "digitness",
    ]
    assert table == [
        {name: value for name, value in record.items() if name != "box"} for record in local
    ]


def test_ctrl_c_leaves_nothing_behind(many: Path, nodes: TwoNodes) -> None:
    with subprocess.Popen(
        [*MNIST, "predict-batch", "--quiet", many, "--ray", "local"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as batch:
        assert batch.stdout
        assert json.loads(batch.stdout.readline())["file"] == str(many / "0000.png")
        started = [pid for pid in _processes() if batch.pid in _above(pid)]
        assert started
        os.killpg(batch.pid, signal.SIGINT)
        assert batch.wait() == 130
    _wait_for(lambda: not set(started) & set(_processes()))


def test_another_version_on_the_nodes(cluster: TwoNodes) -> None:
    other = "import mnist_cli, sys; mnist_cli.__version__ = '0.0.9'; " + IMPORT_MAIN
    result = run_process(
        *("predict-batch", str(SAMPLES), "--ray", cluster.address),
        program=[sys.executable, "-c", other],
    )
    assert result.code == 7
    assert (
        "but the batch was started with 0.0.9: install the same version on all nodes"
        in result.error
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--ray", "127.0.0.1:1"], 7, "no Ray cluster at 127.0.0.1:1: [Errno 111] Connection"),
        (["--ray", "nonsense"], 7, "no Ray cluster at nonsense: "),
        (["--ray", "ray://127.0.0.1:1"], 7, "Ray Data does not support Ray Client"),
        (["s3://bucket/a"], 2, "URIs and output folders require --ray"),
        (["--output", "digits/"], 2, "URIs and output folders require --ray"),
        (["--ray", "auto", "--output", "a/", "--resume"], 2, "cannot be combined with --resume"),
        (["--ray", "auto", "--output", "a/", "--fail-fast"], 2, "--fail-fast"),
        (
            ["--ray", "auto", "--output", "a/", "--format", "csv"],
            2,
            "--format: csv cannot be written to a/",
        ),
        (["--ray", "auto", "file:///missing"], 3, "file:///missing: no such file or folder"),
        (["--ray", "auto", "nosuch://a"], 3, "Unrecognized filesystem type in URI"),
        (["--ray", "auto", "s3://a:secret@b/c"], 3, "s3://b: a password in a URI"),
    ],
)
def test_usage_and_connection_errors(arguments: list[str], code: int, message: str) -> None:
    result = run_process("predict-batch", str(SAMPLES), *arguments)
    assert (result.code, result.stdout) == (code, "")
    assert message in result.error


def test_without_ray() -> None:
    result = run_process("predict-batch", str(SAMPLES), "--ray", "auto", program=without("ray"))
    assert result.code == 7
    assert result.tip.endswith("pip install 'mnist-cli[ray]'")


def _without_file(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "file"}


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _started(cluster: TwoNodes, folder: Path, *options: str | Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*MNIST, "predict-batch", "--quiet", folder, "--ray", cluster.address, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _size(table: Path) -> int:
    journal = table.with_name(f".{table.name}.partial")
    return journal.stat().st_size if journal.exists() else 0


def _wait_for(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def _processes() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]


def _reads(node: Any) -> bool:
    """Whether one of its processes reads files."""
    [raylet] = node.all_processes["raylet"]
    return any(raylet.process.pid in _above(reader) for reader in _readers())


def _readers() -> list[int]:
    """The processes that read files."""
    found = []
    for pid in _processes():
        with contextlib.suppress(OSError):
            if b"mnist_cli.batch.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def _above(pid: int) -> list[int]:
    """The process that started this one, and so on."""
    found = []
    with contextlib.suppress(OSError):
        while pid := int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]):
            found.append(pid)
    return found
