"""Fixtures: the command, the bundled measurements and one published build of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import settings

from pipelines.models import relocate
from pipelines.published import published_build, read_features
from tests.support import BUNDLED, ONE_MACHINE, PROJECT, Commands, bundled_rows, write_csv

SHARED = PROJECT.parent / "shared" / "data"
settings.register_profile("benchmart", deadline=None)  # no test asserts on wall time
settings.load_profile("benchmart")
WITH_PAGE = {"BENCHMART_REPORT": "true"}
SMALL = {"BENCHMART_METRICS": "throughput,latency_ms"}
PRICES = """\
hardware,device_count,price_per_hour
amd-epyc-genoa-1-thread,1,0.04
amd-epyc-genoa-2-threads,1,0.09
"""
# measured, of a batch that nobody measured, where it is recommended to be, and what nobody has heard of
DEPLOYMENTS = """\
model_name,hardware,framework,precision,batch_size,input_length,requests_per_second
bert-mini,amd-epyc-genoa-1-thread,pytorch,fp32,4,64,500
bert-mini,amd-epyc-genoa-1-thread,pytorch,fp32,6,64,500
bert-mini,amd-epyc-genoa-2-threads,onnxruntime,fp32,4,64,
unheard-of,abacus,vllm,fp16,1,64,1
"""


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(tmp_path)


@pytest.fixture(scope="session")
def shared_homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the processes that tests run in keep what one of them builds for all."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt works for warehouses that tests make without the command: parses once."""
    return tmp_path_factory.mktemp("dbt")


def _built_once(
    home: Path, build: Callable[[Commands], object], environment: Mapping[str, str] | None = None
) -> Commands:
    """Commands in a home that whoever comes first has built, whole or not at all."""
    part = home.with_name(f"{home.name}.part")
    with FileLock(home.with_name(f"{home.name}.lock")):
        if not home.is_dir():
            shutil.rmtree(part, ignore_errors=True)  # of a build that failed
            part.mkdir()
            build(Commands(part, environment or {}))
            # nothing is left at the old place
            part.rename(home)
            relocate(home / "mlruns")
    return Commands(home, environment or {})


@pytest.fixture(scope="session")
def bundled(shared_homes: Path) -> Commands:
    """A published build of all bundled measurements; tests only read it."""
    return _built_once(
        shared_homes / "bundled", lambda commands: commands.succeed("build"), WITH_PAGE
    )


@pytest.fixture(scope="session")
def published(shared_homes: Path) -> Commands:
    """A published build of the bundled measurements of one machine; tests only read it."""
    home = shared_homes / "published"

    def build(commands: Commands) -> None:
        folder = commands.home / "raw" / "benchmart"
        folder.mkdir(parents=True)
        shutil.copy(BUNDLED / "models.csv", folder)
        # a measurement's id, and with it the order of rows, comes of the name of its file
        shutil.copy(BUNDLED / ONE_MACHINE, folder / "quick.csv")
        devices = pd.read_csv(BUNDLED / "hardware.csv", dtype=str)
        its = devices["hardware"].str.startswith(ONE_MACHINE.removesuffix(".csv"))
        devices[its].to_csv(folder / "hardware.csv", index=False)
        commands.build()

    return _built_once(home, build, WITH_PAGE | {"BENCHMART_RAW": str(home / "raw")})


@pytest.fixture(scope="session")
def frames(published: Commands) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and candidate features of the published build."""
    features = read_features(published_build(published.warehouse))
    return features.training, features.candidates


@pytest.fixture(scope="session")
def template(shared_homes: Path) -> Path:
    """A home with most measurements of one bundled model in `raw/`, built once."""

    def build(commands: Commands) -> None:
        folder = commands.home / "raw" / "benchmart"
        rows = list(bundled_rows(model_name="bert-mini"))
        write_csv(folder / "runs.csv", [row for number, row in enumerate(rows) if number % 5])
        for name in ("hardware.csv", "models.csv"):
            shutil.copy(BUNDLED / name, folder / name)
        (folder / "prices.csv").write_text(PRICES)
        (folder / "deployments.csv").write_text(DEPLOYMENTS)
        commands.succeed("build", "--raw", commands.home / "raw", BENCHMART_REPORT="true")

    return _built_once(shared_homes / "template", build, SMALL).home


@pytest.fixture
def small(template: Path, tmp_path: Path) -> Commands:
    """A published build of two metrics of one bundled model, from `raw/` in its home."""
    home = tmp_path / "home"
    shutil.copytree(template, home, symlinks=True)
    relocate(home / "mlruns")
    return Commands(home, SMALL)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public tables in their original formats, where they are at hand."""
    if not SHARED.is_dir():
        pytest.skip("the public tables are not beside this checkout (../shared/data)")
    return SHARED
