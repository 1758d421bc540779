"""The files in `docs/deploy` match the server."""

import configparser
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from mnist_cli.cli import app
from mnist_cli.server.http import DRAIN_TIMEOUT_SECONDS, IDLE_TIMEOUT_SECONDS, MAX_DESCRIPTORS
from mnist_cli.server.middleware import HEALTH_PATHS
from tests.running import ROOT, run
from tests.serving import serving

DEPLOY = ROOT / "docs" / "deploy"
if not DEPLOY.exists():
    pytest.skip("docs/ is not in the sdist", allow_module_level=True)

PAGE = (ROOT / "docs" / "deployment.md").read_text()
NGINX = (DEPLOY / "nginx.conf").read_text()
CONTAINERFILE = (DEPLOY / "Containerfile").read_text().replace("\\\n", "")
KUBERNETES = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
KSERVE = yaml.safe_load((DEPLOY / "kserve.yaml").read_text())
PODS = [KUBERNETES[0]["spec"]["template"]["spec"], KSERVE["spec"]["predictor"]]


def _unit() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(DEPLOY / "mnist.service")
    return unit["Service"]


def _parse(command: list[str]) -> dict[str, Any]:
    """Parse a command line of `mnist serve`; fails for unknown options."""
    program, name, *options = command
    assert (Path(program).name, name) == ("mnist", "serve")
    group: Any = typer.main.get_command(app)
    params: dict[str, Any] = group.commands["serve"].make_context("serve", options).params
    return params


def _instruction(name: str) -> str:
    [value] = re.findall(f"^{name} (.*)$", CONTAINERFILE, re.MULTILINE)
    return str(value)


def _entrypoint() -> list[str]:
    return list(json.loads(_instruction("ENTRYPOINT")))


def _nginx(name: str) -> str:
    [value] = re.findall(rf"^ *{name} (\S+);", NGINX, re.MULTILINE)
    return str(value)


def test_the_page_links_to_all_files() -> None:
    linked = re.findall(r"^\| \[(.*)\]\(deploy/\1\)", PAGE, re.MULTILINE)
    assert sorted(linked) == sorted(file.name for file in DEPLOY.iterdir())


def test_the_unit_gives_the_server_time_to_finish() -> None:
    assert int(_unit()["TimeoutStopSec"]) > DRAIN_TIMEOUT_SECONDS
    assert _unit()["KillMode"] == "mixed"  # else the workers get SIGTERM twice, and stop at once


def test_the_unit_lets_the_server_open_enough_files() -> None:
    assert int(_unit()["LimitNOFILE"]) >= MAX_DESCRIPTORS


def test_nginx_fits_the_unit() -> None:
    params = _parse(shlex.split(_unit()["ExecStart"]))
    assert _nginx("server") == f"{params['host']}:{params['port']}"
    assert params["trusted_proxy"] == params["host"]
    assert f"location {params['url_prefix']}/ {{" in NGINX
    assert _nginx("client_max_body_size") == f"{params['max_body']}m"
    assert f"larger than {params['max_body'] * 2**20} bytes" in NGINX
    assert int(_nginx("keepalive_timeout").removesuffix("s")) < IDLE_TIMEOUT_SECONDS


def test_the_container_exposes_its_port() -> None:
    params = _parse(_entrypoint())
    assert int(_instruction("EXPOSE")) == params["port"]
    [path] = re.findall(
        rf"'http://127.0.0.1:{params['port']}(/.*)'", _instruction("HEALTHCHECK CMD")
    )
    assert path in HEALTH_PATHS


def test_the_container_does_not_start_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MNIST_TOKEN", raising=False)
    result = run(*_entrypoint()[1:])
    assert result.code == 2
    assert "set MNIST_TOKEN" in result.tip


def test_the_container_has_all_dependencies(tmp_path: Path) -> None:
    tomllib = pytest.importorskip("tomllib", reason="it came with Python 3.11; the image has 3.13")
    project = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(project)
    [command] = re.findall("^RUN (.*tomllib.*)$", CONTAINERFILE, re.MULTILINE)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", command], cwd=tmp_path, env={"PATH": path}, check=True)
    left = (tmp_path / "requirements.txt").read_text().splitlines()
    assert left == tomllib.loads(project)["project"]["dependencies"]
    assert not any(line.startswith("tensorflow") for line in left)


def test_the_container_is_built_from_what_is_not_ignored() -> None:
    lines = (ROOT / ".containerignore").read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / name).exists() for name in kept)
    project = (ROOT / "pyproject.toml").read_text()
    needed = re.findall(r'^license-files = \["(.*?)"', project, re.MULTILINE)
    [sources] = re.findall(r"wheel.force-include\]\n((?:\w+ = .*\n)+)", project)
    needed += re.findall(r"^(\w+) =", sources, re.MULTILINE)
    assert kept == {"pyproject.toml", "hatch_build.py", "README.md", "mnist_cli", *needed}


@pytest.mark.parametrize("pod", PODS, ids=["kubernetes", "kserve"])
def test_a_pod_runs_the_container(pod: dict[str, Any]) -> None:
    [container] = pod["containers"]
    params = _parse(_entrypoint() + container["args"])
    [port] = container["ports"]
    assert port["containerPort"] == params["port"]
    for probe in ("readinessProbe", "livenessProbe"):
        get = container[probe]["httpGet"]
        assert get["path"] in HEALTH_PATHS
        assert get["port"] in (port.get("name"), port["containerPort"])
    [token] = [entry for entry in container["env"] if entry["name"] == "MNIST_TOKEN"]
    assert token["valueFrom"]["secretKeyRef"] == {"name": "mnist", "key": "token"}


@pytest.mark.parametrize("pod", PODS, ids=["kubernetes", "kserve"])
def test_a_pod_is_restricted(pod: dict[str, Any]) -> None:
    [container] = pod["containers"]
    context = pod.get("securityContext", {}) | container["securityContext"]
    assert context == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert re.fullmatch("[1-9][0-9]*:[1-9][0-9]*", _instruction("USER"))
    # The server writes large bodies to it.
    [volume] = pod["volumes"]
    assert "emptyDir" in volume
    assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/tmp"}]


def test_kubernetes_gives_the_server_time_to_finish() -> None:
    [container] = PODS[0]["containers"]
    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert PODS[0]["terminationGracePeriodSeconds"] > sleep + DRAIN_TIMEOUT_SECONDS


def test_the_service_finds_the_pods() -> None:
    deployment, service, budget = KUBERNETES
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"] == labels
    assert budget["spec"]["selector"]["matchLabels"] == labels
    [port] = service["spec"]["ports"]
    assert port["targetPort"] == PODS[0]["containers"][0]["ports"][0]["name"]
    assert budget["spec"]["minAvailable"] < deployment["spec"]["replicas"]


def test_the_probes_are_answered_without_a_token() -> None:
    with serving(env={"MNIST_TOKEN": "secret"}) as server:
        assert server.ask("GET", "/").status == 401
        for path in HEALTH_PATHS:
            assert server.ask("GET", path).status == 200


def test_other_wsgi_servers_require_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MNIST_TOKEN", raising=False)
    with pytest.raises(KeyError):
        runpy.run_path(str(DEPLOY / "wsgi.py"))
    monkeypatch.setenv("MNIST_TOKEN", "secret")
    client = runpy.run_path(str(DEPLOY / "wsgi.py"))["app"].test_client()
    assert client.get("/").status_code == 401
    assert client.get("/", headers={"Authorization": "Bearer secret"}).status_code == 200


def test_the_page_has_options_of_the_server() -> None:
    lines = re.findall(r"^podman run .* mnist (--.*)$", PAGE, re.MULTILINE)
    assert lines
    for line in lines:
        _parse(_entrypoint() + shlex.split(line))
