"""`benchmart doctor`, what `status` says to do next, and completion."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from pipelines.warehouse import DATABASE
from tests.support import COMMAND, Commands, bundled_rows, write_csv


def examined(commands: Commands, exit_code: int = 0, **environment: str) -> dict[str, dict]:
    done = commands.run("doctor", "--json", **environment)
    assert done.returncode == exit_code, done.stderr
    return {finding["check"]: finding for finding in json.loads(done.stdout)}


def test_a_sound_installation_is_well(published: Commands):
    found = examined(published, BENCHMART_REPORT="true")
    assert {each["state"] for each in found.values()} == {"ok"}
    assert set(found) == {"packages", "raw files", "build", "freshness", "disk", "MLflow"}
    said = published.succeed("doctor", BENCHMART_REPORT="true").stdout.splitlines()
    assert len(said) == len(found)


def test_before_the_first_build_it_says_to_build(commands: Commands):
    found = examined(commands)
    assert found["build"]["state"] == "notice"
    assert found["build"]["advice"] == "benchmart build"
    assert not commands.warehouse.exists()


def test_what_is_mistyped_or_missing_is_told(commands: Commands):
    found = examined(commands, 1, BENCHMART_OBJETIVE="latency", BENCHMART_RAW="/nowhere")
    assert "did you mean 'BENCHMART_OBJECTIVE'" in found["settings"]["found"]
    assert "/nowhere" in found["raw files"]["found"]
    assert "raw" in found["raw files"]["advice"]


def test_news_are_told(small: Commands):
    raw = small.home / "raw"
    asked = {"BENCHMART_RAW": str(raw), "BENCHMART_REPORT": "true"}
    assert examined(small, **asked)["freshness"]["state"] == "ok"
    assert (
        "settings, code or replays (benchmart backtest) changed"
        in examined(small, **asked | {"BENCHMART_SEED": "7"})["freshness"]["found"]
    )
    write_csv(raw / "benchmart" / "more.csv", list(bundled_rows(model_name="vit-tiny"))[:3])
    done = small.succeed("doctor", "--json", "--raw", raw)
    [found] = [each for each in json.loads(done.stdout) if each["check"] == "freshness"]
    assert "1 of 6 files are new" in found["found"]
    (small.warehouse / "pins.json").write_text("?")
    assert "pins.json" in examined(small, 1, **asked)["freshness"]["found"]


@pytest.mark.slow
def test_what_was_taken_back_is_told(small: Commands):
    write_csv(
        small.home / "raw" / "benchmart" / "more.csv",
        list(bundled_rows(model_name="bert-mini"))[:3],
    )
    small.build()
    small.succeed("rollback")
    found = examined(small, BENCHMART_RAW=str(small.home / "raw"))["freshness"]
    assert "rolled back" in found["found"] and "--full-refresh" in found["advice"]


def test_damage_is_told(small: Commands):
    database = small.current / DATABASE
    database.chmod(0o644)
    with database.open("r+b") as file:
        file.seek(1000)
        file.write(b"?")
    found = examined(small, 1)
    assert "not what was published" in found["build"]["found"]
    assert "rollback" in found["build"]["advice"]


def test_a_failed_attempt_is_told(commands: Commands):
    (commands.home / "raw").mkdir()
    (commands.home / "raw" / "a.csv").write_text("author,text\nx,y\n")
    commands.refused("build", "--raw", commands.home / "raw")
    found = examined(commands, 1)
    assert "not a benchmark table" in found["last attempt"]["found"]


def test_status_says_what_to_do_next(published: Commands):
    said = published.succeed("status").stdout
    assert "benchmart integrate" in said and "benchmart record" in said
    assert json.loads(published.succeed("status", "--json").stdout)["report"].endswith(
        "report.html"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("benchmart sta", "status"),
        ("benchmart hardware --mod", "--model"),
        ("benchmart hardware --model bert-m", "bert-mini"),
        ("benchmart integrate --metric throughput,la", "throughput,latency"),
        ("benchmart integrate --available x,amd-epyc-genoa-2", "x,amd-epyc-genoa-2-threads"),
    ],
)
def test_a_shell_completes_commands_flags_and_names(published: Commands, line: str, expected: str):
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    asked = words | {"_BENCHMART_COMPLETE": "bash_complete"}
    assert f"plain,{expected}" in published.succeed(**asked).stdout.splitlines()


@pytest.mark.parametrize(
    "shell", [shell for shell in ("bash", "zsh", "fish") if shutil.which(shell)]
)
def test_what_completion_prints_is_taken_by_the_shell(shell: str):
    script = subprocess.run([COMMAND, "completion", shell], capture_output=True, text=True).stdout
    assert "_BENCHMART_COMPLETE" in script
    assert subprocess.run([shell, "-c", script], capture_output=True).returncode == 0


def test_a_shell_without_a_build_completes_nothing(commands: Commands):
    asked = {"COMP_WORDS": "benchmart hardware --model x", "COMP_CWORD": "3"}
    done = commands.succeed(**asked, _BENCHMART_COMPLETE="bash_complete")
    assert (done.stdout.strip(), done.stderr) == ("", "")
