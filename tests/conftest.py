"""Fixtures: the command, the bundled measurements and one published build of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from pipelines.published import published_build, read_learning_inputs
from tests.support import BUNDLED, PROJECT, Commands, bundled_rows, write_csv

SHARED = PROJECT.parent / "shared" / "data"


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(tmp_path)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """A published build of the bundled measurements; tests only read it."""
    found = Commands(tmp_path_factory.mktemp("published"))
    found.succeed("build")
    return found


@pytest.fixture(scope="session")
def frames(published: Commands) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and candidate features of the published build."""
    return read_learning_inputs(published_build(published.warehouse))[:2]


@pytest.fixture
def small_raw(tmp_path: Path) -> Path:
    """A raw directory with the measurements of one bundled model: builds in seconds."""
    folder = tmp_path / "raw"
    write_csv(folder / "benchmart" / "runs.csv", list(bundled_rows(model_name="bert-mini")))
    for name in ("hardware.csv", "models.csv"):
        shutil.copy(BUNDLED / name, folder / "benchmart" / name)
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public tables in their original formats, where they are at hand."""
    if not SHARED.is_dir():
        pytest.skip("the public tables are not beside this checkout (../shared/data)")
    return SHARED
