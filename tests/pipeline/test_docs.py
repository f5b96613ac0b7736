"""What README and docs show works as it is written."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pipelines.cli import cli
from pipelines.models import relocate
from pipelines.published import connect_published
from pipelines.reference import classes_page, commands_page, tables_page
from tests.support import COMMAND, PROJECT, Commands

README = PROJECT / "README.md"
PAGES = [README, *(PROJECT / name for name in ("CONTRIBUTING.md", "SECURITY.md"))]
PAGES += sorted((PROJECT / "docs").glob("*.md"))
MADE = {"commands.md", "tables.md", "python.md"}


def _blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def _commands(page: Path) -> Iterator[list[str]]:
    """Every `benchmart` command in code, whether or not it is run; names in capitals are taken."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    code = "\n".join([*re.findall(r"^(?:    |\$ )(.*)$", text, re.MULTILINE), *_blocks(page, "sh")])
    code += "\n" + "\n".join(re.findall(r"`([^`\n]+)`", text))
    for line in re.findall(r"^(?:\.venv/bin/)?benchmart +([a-z].*)$", code, re.MULTILINE):
        yield shlex.split(re.sub(r"  +[a-z].*$", "", line), comments=True)


@pytest.mark.parametrize("page", [p for p in PAGES if p.name not in MADE], ids=lambda p: p.name)
def test_commands_that_are_shown_exist(page: Path):
    for words in _commands(page):
        command, context = cli, click.Context(cli, info_name="benchmart")
        while isinstance(command, click.Group) and words:
            name, words = words[0], words[1:]
            command = command.get_command(context, name)
            assert command, f"{page.name}: benchmart {name}"
        shown = {word.partition("=")[0] for word in words if word.startswith("--")}
        known = {flag for parameter in command.params for flag in parameter.opts} | {"--help"}
        assert shown <= known, f"{page.name}: {command.name} {shown - known}"


def test_enough_commands_are_found():
    assert sum(len(list(_commands(page))) for page in PAGES if page.name not in MADE) > 50


@pytest.fixture
def home(bundled: Commands, tmp_path: Path) -> Commands:
    """A checkout with the bundled build, as the pages take it."""
    own = tmp_path / "checkout"
    shutil.copytree(bundled.home, own, symlinks=True)
    relocate(own / "mlruns")
    for folder in ("raw", "examples"):
        shutil.copytree(PROJECT / folder, own / folder)
    return Commands(own)


def _run(home: Commands, script: str) -> str:
    settings = {
        "PATH": f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}",
        "BENCHMART_WAREHOUSE": "warehouse",
        "BENCHMART_MLRUNS": "mlruns",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(".venv/bin/", "")],
        cwd=home.home,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{script}\n{done.stderr}"
    return done.stdout


def _measure(home: Commands) -> None:
    """Results of the tests of the plan, as somebody would write them down."""
    plan = json.loads((home.home / "plan.json").read_text(encoding="utf-8"))
    with (home.home / "results.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["config_id", "throughput", "status"])
        for number, test in enumerate(plan["recommendations"]):
            writer.writerow([test["config_id"], *((test["p50"], "ok") if number else ("", "oom"))])


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md", "docs/howto.md"])
def test_what_is_shown_runs_from_top_to_bottom(home: Commands, page: str):
    blocks = _blocks(PROJECT / page, "sh")
    assert len(blocks) >= 3
    for block in blocks:
        if "benchmart record" in block:
            _measure(home)
        _run(home, block)


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_pages_of_reference_are_those_of_this_code(published: Commands):
    """`make reference` writes them."""
    with connect_published(published.warehouse) as con:
        made = {"commands": commands_page(), "tables": tables_page(con), "python": classes_page()}
    for name, text in made.items():
        assert (PROJECT / "docs" / f"{name}.md").read_text(encoding="utf-8") == text, name


def test_python_of_the_readme_runs(bundled: Commands):
    assert _blocks(README, "python")
    for code in _blocks(README, "python"):
        shown = code + "print(len(tests), ranked['rank'].min(), len(quantiles))\n"
        done = subprocess.run(
            [sys.executable, "-c", shown], cwd=bundled.home, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        tests, best, candidates = map(int, done.stdout.split())
        assert (tests, best) == (5, 1)
        assert candidates > 50


def test_sql_of_the_readme_runs(bundled: Commands):
    assert _blocks(README, "sql")
    for query in _blocks(README, "sql"):
        assert len(bundled.query(query)) > 100


def test_every_setting_is_explained():
    from pipelines.settings import Settings

    text = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"`{name}`" in text, name


def test_the_readme_is_short():
    assert len(README.read_text(encoding="utf-8").splitlines()) < 250
