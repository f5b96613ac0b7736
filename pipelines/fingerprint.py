"""What builds and models are made of, as digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

from pipelines.settings import PROJECT, Settings
from pipelines.warehouse import Warehouse

# what is made of models, and not the other way round
AFTER_MODELS = (
    "dbt_project/models/marts/analytics/",
    "dbt_project/models/exposures.yml",
    "dbt_project/seeds/diagnostic_rules.csv",
    "dbt_project/tests/",
)

# with another version of these the same code may compute something else
LIBRARIES = (
    *("dbt-core", "dbt-duckdb", "duckdb", "lightgbm", "numba"),
    *("numpy", "pandas", "pyarrow", "scipy"),
)


def fingerprint_of(files: Mapping[str, str], settings: Settings, pins: Mapping[str, str]) -> str:
    """Two builds of one fingerprint, after the same builds, hold the same tables."""
    digest = hashlib.sha256(json.dumps([pins, files], sort_keys=True).encode())
    elsewhere = {"raw", "warehouse", "mlruns", "keep_builds", "threads", "budget", "plan_depth"}
    elsewhere |= {"gate"}  # asked of a build that is there
    elsewhere |= {"minutes_per_test", "limit_memory"}  # asked for after a build; how, not what
    elsewhere |= {"engine", "scheduler"}
    told = settings.model_dump(mode="json", exclude=elsewhere)
    for path in Warehouse(settings.warehouse).curves:
        digest.update(path.read_bytes())
    told["depth"] = max(settings.budget, settings.plan_depth)
    digest.update(json.dumps(told, sort_keys=True).encode())
    _digest_libraries(digest)
    _digest_code(digest, "models_py", "pipelines", "dbt_project")
    return digest.hexdigest()


def recipe_of(settings: Settings) -> str:
    """Models of one recipe, fitted to the same raw rows, are the same."""
    digest = hashlib.sha256(f"{settings.seed} {settings.training_rows}".encode())
    _digest_libraries(digest)
    _digest_code(digest, "models_py", "dbt_project", without=AFTER_MODELS)
    return digest.hexdigest()


@cache
def digest_of_code() -> str:
    """Processes of one digest compute the same; of the code as it was when this one was first asked."""
    digest = hashlib.sha256()
    _digest_libraries(digest)
    _digest_code(digest, "models_py", "pipelines")
    return digest.hexdigest()


@cache
def digest_of_readers() -> str:
    """Rows that code of one digest read from one file are the same."""
    digest = hashlib.sha256()
    _digest_code(digest, "pipelines/readers", "pipelines/sources")
    return digest.hexdigest()


def _digest_libraries(digest: hashlib._Hash) -> None:
    digest.update(" ".join(f"{name} {version(name)}" for name in LIBRARIES).encode())


def _digest_code(digest: hashlib._Hash, *folders: str, without: tuple[str, ...] = ()) -> None:
    for folder in folders:
        for path in sorted((PROJECT / folder).rglob("*")):
            here = path.relative_to(PROJECT)
            if here.as_posix().startswith(without) or "target" in here.parts:
                continue
            if path.suffix in {".py", ".sql", ".yml", ".csv", ".html", ".css", ".js"}:
                digest.update(path.read_bytes())
