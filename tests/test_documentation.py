"""The commands, outputs, figures and links of the README and of docs/ are right.

Each block of commands is run, in the order of the page, in a folder with `samples` and
`saved_models`, unless the comment `<!-- not run: REASON -->` precedes it. In `console` blocks, and
in Python examples with `>>>`, what is printed is compared; other blocks must succeed.
"""

import doctest
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from mnist_cli.cli import COMMANDS
from mnist_cli.errors import ExitCode
from mnist_cli.loader import find_models
from mnist_cli.option_types import DEFAULT_MODEL
from tests.documentation import ADDRESS, LANGUAGES, README, blocks, check_outputs, with_server
from tests.running import ROOT, run, run_process

if not (ROOT / "docs").is_dir():
    pytest.skip("docs/ is not in the sdist", allow_module_level=True)

PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)
NOT_COMMANDS = {"text", "yaml", "json", "mermaid"}
OTHER_OPTIONS = {
    *("--without-pip", "--python"),  # Python, pip
    *("--rm", "--read-only", "--tmpfs", "--now", "--from-literal"),  # podman, systemctl, kubectl
    *("--bind", "--interface", "--factory", "--blocking-threads"),  # gunicorn, granian
}
LINK = re.compile(r"(?:\]\(|(?:src|srcset|href)=\")([^)\s\"]+)")


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the commands run, with `mnist` on the path."""
    folder, programs = tmp_path / "clone", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    shutil.copytree(ROOT / "samples", folder / "samples")
    (folder / "saved_models").symlink_to(ROOT / "saved_models")
    program = programs / "mnist"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mnist_cli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_commands(page: Path, folder: Path, request: pytest.FixtureRequest) -> None:
    variables = dict[str, object]()
    for block in blocks(page):
        if not block.is_run:
            continue
        text = block.text
        if ADDRESS in text:
            text = with_server(text, request.getfixturevalue("server"))
        if block.language == "console":
            check_outputs(block.place, text)
        elif block.language == "sh":
            result = run_process("-euo", "pipefail", "-c", text, program=["bash"])
            assert result.code == 0, f"{block.place}: {result.stderr}"
        elif ">>>" in block.text:
            _run_doctest(block.place, text, variables)
        else:
            exec(compile(text, block.place, "exec"), variables)


def _run_doctest(place: str, text: str, variables: dict[str, object]) -> None:
    example = doctest.DocTestParser().get_doctest(text, variables, place, place, 0)
    report = list[str]()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(example, out=report.append, clear_globs=False)
    assert not report, "".join(report)
    variables.update(example.globs)


def test_every_block_has_a_known_language() -> None:
    for page in PAGES:
        found = blocks(page)
        assert 2 * len(found) == len(re.findall(r"^ *```", page.read_text(), re.MULTILINE)), page
        assert {block.language for block in found} <= LANGUAGES | NOT_COMMANDS, page


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    return set(map(_anchor, re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)))


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_links_lead_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/**/*.md")):
        for link in LINK.findall(page.read_text()):
            if re.match(r"https?:", link):
                continue
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), f"{_name(page)}: {link}"
            assert not anchor or anchor in _anchors(target), f"{_name(page)}: {link}"


def test_every_page_and_picture_is_linked() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in LINK.findall(page.read_text())
    }
    pictures = (ROOT / "docs").rglob("*.[ps][nv]g")
    assert {*PAGES, *pictures} <= linked


def test_all_exit_codes_are_documented() -> None:
    page = (ROOT / "docs" / "predict.md").read_text()
    documented = re.findall(r"^\| (\d+) \| ", page, re.MULTILINE)
    assert [int(code) for code in documented] == sorted(ExitCode)


def test_the_statistics_of_the_models_are_documented() -> None:
    rows = dict(re.findall(r"^\| `([tek]_\w+)` \|(.*)\|$", README.read_text(), re.MULTILINE))
    assert sorted(rows) == [model.name for model in find_models()]
    for model in find_models():
        figures = model.statistics
        for figure in (
            f"{figures['accuracy']:.2%}",
            f"{figures['ece']:.2%}",
            f"{figures['parameters']:,}",
        ):
            assert figure.replace("%", " %") in rows[model.name]
        if model.name == DEFAULT_MODEL:
            evaluated = f"[10000,{figures['accuracy']},{figures['ece']}]"
            assert evaluated in README.read_text()


def _section(text: str, anchor: str) -> str:
    """The section of a page with its subsections."""
    lines, level = text.splitlines(), 0
    section = list[str]()
    for line in lines:
        heading = re.match(r"(#+) (.*)", line)
        if heading and level and len(heading[1]) <= level:
            break
        if heading and _anchor(heading[2]) == anchor:
            level = len(heading[1])
        if level:
            section.append(line)
    return "\n".join(section)


def _numbers(text: str) -> list[str]:
    return re.findall(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?!\w)", text)


def test_the_readme_has_the_figures_of_the_benchmarks() -> None:
    benchmarks = (ROOT / "benchmarks" / "README.md").read_text()
    items = re.split(r"\n(?=\||- |\n)", README.read_text())
    linked = [
        (item[: link.start()], link[1])
        for item in items
        if (link := re.search(r"\(\[[^\]]+\]\(benchmarks/README\.md#(.*)\)\)", item))
    ]
    assert len(linked) == 8
    for text, anchor in linked:
        section = _section(benchmarks, anchor)
        measured = [float(number.replace(",", "")) for number in _numbers(section)]
        for number in _numbers(text):
            digits = len(number.partition(".")[2])
            rounded = {f"{value:,.{digits}f}" for value in measured}
            assert number in rounded, f"{number} is not in the section #{anchor} of the benchmarks"


def test_the_pages_and_the_help_list_the_same_options() -> None:
    documented = set(re.findall(r"--[a-z][a-z-]+", TEXT))
    helped = {
        option
        for command in ([], *([name] for name in COMMANDS))
        for option in re.findall(r"--[a-z][a-z-]+", run(*command, "--help").stdout)
    }
    assert documented - helped == OTHER_OPTIONS
    assert helped - documented == {"--show-completion", "--version"}
