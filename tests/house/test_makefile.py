"""What people and CI type first."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGETS = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_make_alone_lists_every_target() -> None:
    told = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True, cwd="/")
    assert {"up", "test", "check", "fix", "bench", "chaos"} <= set(TARGETS)
    assert re.findall(r"^  make (\w+) +\S", told.stdout, re.MULTILINE) == TARGETS


def test_ci_runs_what_the_readme_names() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert re.findall(r"^make (\w+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE) == ["check", "test"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The part of a checkout that installs, in a path with a space, with a Python that only notes what it is asked."""
    folder = tmp_path / "a checkout"
    (folder / ".ci").mkdir(parents=True)
    (folder / "bin").mkdir()
    shutil.copy(ROOT / ".ci" / "install", folder / ".ci")
    (folder / "requirements.txt").write_text("one==1\n")
    (folder / "requirements-dev.txt").write_text("two==2\n")
    (folder / "constraints.txt").write_text("of-one==3\n")
    return folder


def python_that(folder: Path, script: str) -> None:
    python = folder / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nasked="{folder}/asked"\n{script}\n')
    python.chmod(0o755)


# Answers every question with yes, and "makes" a .venv by copying itself there.
WILLING = """
echo "$*" >> "$asked"
case "$*" in *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;; esac
"""


def install(folder: Path, what: str) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}:/usr/bin:/bin"
    command = [str(folder / ".ci" / "install"), what]
    return subprocess.run(command, env={"PATH": path}, cwd="/", capture_output=True, text=True, check=False)


def asked_to_install(folder: Path) -> list[str]:
    return re.findall(r"pip install .*-r (\S+) -c constraints.txt$", (folder / "asked").read_text(), re.MULTILINE)


def test_what_is_wanted_is_installed_once_and_again_when_it_changes(checkout: Path) -> None:
    python_that(checkout, WILLING)
    for _ in range(2):
        result = install(checkout, "requirements.txt")
        assert result.returncode == 0, result.stderr
    assert asked_to_install(checkout) == ["requirements.txt"]
    install(checkout, "requirements-dev.txt")
    (checkout / "requirements.txt").write_text("one==1.1\n")
    install(checkout, "requirements.txt")
    install(checkout, "requirements-dev.txt")
    assert asked_to_install(checkout) == [
        "requirements.txt",
        "requirements-dev.txt",
        "requirements.txt",
        "requirements-dev.txt",
    ]
    (checkout / "constraints.txt").write_text("of-one==3.1\n")
    install(checkout, "requirements.txt")
    assert asked_to_install(checkout)[4:] == ["requirements.txt"]


def test_an_install_says_one_line_of_what_it_does_and_leaves_errors_to_be_seen(checkout: Path) -> None:
    python_that(checkout, WILLING + 'case "$*" in *"pip install --quiet"*) echo no such version >&2; exit 1 ;; esac')
    result = install(checkout, "requirements.txt")
    assert (result.returncode, result.stderr) == (1, "no such version\n")
    assert re.fullmatch(r"(Making .*\n)?Installing requirements.txt into .venv.*\n", result.stdout)


def test_an_install_that_failed_is_tried_again(checkout: Path) -> None:
    python_that(checkout, WILLING + 'case "$*" in *"pip install"*) exit 1 ;; esac')
    assert install(checkout, "requirements.txt").returncode == 1
    assert install(checkout, "requirements.txt").returncode == 1
    assert len(asked_to_install(checkout)) == 2


@pytest.mark.parametrize(
    ("refused", "told"),
    [("version_info", "Python 3.11 or newer is needed"), ("import venv, ensurepip", "apt install python3-venv")],
)
def test_a_python_that_will_not_do_is_said(refused: str, told: str, checkout: Path) -> None:
    script = f'{WILLING}case "$*" in *"{refused}"*) exit 1 ;; esac'
    python_that(checkout, script)
    for version in range(11, 15):
        shutil.copy(checkout / "bin" / "python3", checkout / "bin" / f"python3.{version}")
    result = install(checkout, "requirements.txt")
    assert result.returncode == 1
    assert told in result.stderr
    assert not (checkout / ".venv").exists()


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder that is all of PATH: what stands in it is all that there is."""
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


def tool(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def install_browser(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / ".ci" / "install-browser")]
    return subprocess.run(command, env={"PATH": str(folder)}, cwd="/", capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_that_is_there_is_taken_without_a_word(name: str, tools: Path) -> None:
    tool(tools, name, "")
    result = install_browser(tools)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_root_on_debian_gets_a_browser(tools: Path) -> None:
    tool(tools, "id", "echo 0")
    tool(tools, "apt-get", f'echo "$*" >> "{tools}/asked"\ncase "$*" in install*chromium*) : > "{tools}/made" ;; esac')
    result = install_browser(tools)
    assert (tools / "made").exists()
    assert (tools / "asked").read_text().startswith("update ")
    assert result.stdout.count("\n") == 1


@pytest.mark.parametrize(("user", "apt"), [("1000", "exit 0"), ("0", "exit 100"), ("0", None)])
def test_who_has_no_browser_and_cannot_get_one_is_told_how_it_comes(user: str, apt: str | None, tools: Path) -> None:
    tool(tools, "id", f"echo {user}")
    if apt:
        tool(tools, "apt-get", apt)
    result = install_browser(tools)
    assert result.returncode == 1
    assert "apt install chromium" in result.stderr


PARTS = ["-n 2 -m not e2e and not browser", "-n 2 -m browser", "-n 3 --dist loadfile --no-loadscope-reorder -m e2e"]


def make_test(checkout: Path, script: str) -> tuple[int, list[str]]:
    """How `make test` ends with such a Python, and the parts that were run."""
    shutil.copy(ROOT / "Makefile", checkout)
    tool(checkout / ".ci", "install-browser", "exit 1")
    python_that(checkout, WILLING + script)
    path = f"{checkout / 'bin'}:/usr/bin:/bin"
    made = subprocess.run(["make", "-C", str(checkout), "test"], env={"PATH": path}, capture_output=True, check=False)
    return made.returncode, re.findall(r"^-m pytest (.*)$", (checkout / "asked").read_text(), re.MULTILINE)


def test_a_part_of_the_tests_that_fails_keeps_no_other_from_being_run(checkout: Path) -> None:
    status, parts = make_test(checkout, 'case "$*" in *"pytest -n 2 -m browser"*) exit 1 ;; esac')
    assert (status != 0, parts) == (True, PARTS)


def test_tests_that_pass_are_a_success(checkout: Path) -> None:
    assert make_test(checkout, "") == (0, PARTS)


def test_who_stops_the_tests_stops_all_of_them(checkout: Path) -> None:
    status, parts = make_test(checkout, 'case "$*" in *"-m pytest"*) exit 2 ;; esac')
    assert (status != 0, parts) == (True, PARTS[:1])
