"""`benchmart fetch` against a server on this machine."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipelines.fetch import public_source, public_sources
from tests.support import Commands


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        self.server.asked.append(self.path)


@pytest.fixture
def mirror(shared_data: Path, tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """Serves a copy of two public sources; `asked` lists what was asked of it."""
    root = tmp_path / "mirror"
    for name in ("timm", "ml_energy_leaderboard_v2"):
        shutil.copytree(shared_data / name, root / name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=root))
    server.asked, server.root = [], root
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def _url(server: ThreadingHTTPServer, source: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/{source}"


def test_a_source_is_fetched_resumed_and_left_alone(mirror, commands: Commands):
    flags = ("fetch", "timm", "--base-url", _url(mirror, "timm"))
    missing = next(file for file in public_source("timm").files if "infer" in file)
    kept = mirror.root / "elsewhere"
    (mirror.root / "timm" / missing).rename(kept)
    broken = commands.run(*flags)
    assert broken.returncode == 1
    assert missing in broken.stderr and "run again for the rest" in broken.stderr
    kept.rename(mirror.root / "timm" / missing)

    done = commands.succeed(*flags)
    assert "benchmart build --raw public/timm" in done.stdout
    for file in public_source("timm").files:
        fetched = commands.home / "public" / "timm" / file
        assert fetched.read_bytes() == (mirror.root / "timm" / file).read_bytes()

    mirror.asked.clear()
    assert "0 files downloaded, 23 were there" in commands.succeed(*flags).stdout
    assert mirror.asked == []


def test_names_with_blanks_come_through(mirror, commands: Commands):
    source = "ml_energy_leaderboard_v2"
    commands.succeed("fetch", source, "--base-url", _url(mirror, source), "--output", "here")
    assert len([p for p in (commands.home / "here").rglob("*") if p.is_file()]) == 501
    assert (commands.home / "here" / "data/llm_text_generation/chat/H100 80GB HBM3").is_dir()


def test_another_content_is_not_let_in(mirror, commands: Commands):
    file = next(iter(public_source("timm").files))
    (mirror.root / "timm" / file).write_text("model,infer_samples_per_sec\nx,1\n")
    done = commands.run("fetch", "timm", "--base-url", _url(mirror, "timm"))
    assert done.returncode == 1
    assert "checksum differs" in done.stderr
    assert not (commands.home / "public" / "timm" / file).exists()


def test_the_list_and_a_wrong_name(commands: Commands):
    listed = commands.succeed("fetch").stdout
    assert all(name in listed for name in public_sources())
    assert "licence Apache-2.0" in listed
    assert commands.refused("fetch", "tim").endswith("did you mean 'timm'?")


def test_manifests_are_of_the_tables_at_hand(shared_data: Path):
    for name in public_sources():
        files = public_source(name).files
        assert files and all((shared_data / name / file).is_file() for file in files)
