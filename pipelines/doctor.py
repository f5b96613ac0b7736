"""`benchmart doctor`: what keeps benchmart from working well here, and what to do about it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipelines.attempt import last_attempt
from pipelines.build import built_before, input_files
from pipelines.errors import BenchmartError
from pipelines.fingerprint import fingerprint_of
from pipelines.ingest import find_files
from pipelines.published import why_damaged
from pipelines.settings import PROJECT, Settings
from pipelines.suggest import did_you_mean
from pipelines.warehouse import Warehouse

ROOM_IN_BUILDS = 3  # a build needs room for itself and what it spills
PREFIX = "BENCHMART_"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    state
        `ok`, `notice` for what is to be done, `problem` for what is broken.
    advice
        What to do; None where all is well.
    """

    check: str
    state: str
    found: str
    advice: str | None = None


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which to mend."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _packages,
        _variables,
        _raw,
        _published,
        _attempt,
        _news,
        _room,
        _tracking,
    )
    return [finding for check in checks for finding in check(settings)]


def _packages(settings: Settings) -> Iterator[Finding]:
    """Against what pyproject.toml pins exactly."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = [re.fullmatch(r"([\w-]+)==([\w.]+)", each) for each in project["dependencies"]]
    wanted = {pin[1]: pin[2] for pin in pins if pin}
    others = [
        f"{name} {_installed(name)} instead of {pin}"
        for name, pin in wanted.items()
        if _installed(name) != pin
    ]
    python = ".".join(map(str, sys.version_info[:3]))
    if others:
        yield Finding(
            "packages", "problem", "; ".join(others), "make build, which installs what is locked"
        )
    else:
        yield Finding("packages", "ok", f"Python {python}, {len(wanted)} pinned packages as pinned")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "nothing"


def _variables(settings: Settings) -> Iterator[Finding]:
    """Variables that look like settings and are none: they would be ignored in silence."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name.split("__")[0].upper() not in known:
            yield Finding(
                "settings",
                "problem",
                f"variable {name} is no setting{did_you_mean(name, known)}",
                f"unset {name}",
            )


def _raw(settings: Settings) -> Iterator[Finding]:
    try:
        files = find_files(settings.raw) if settings.raw else []
    except BenchmartError as error:
        yield Finding(
            "raw files",
            "problem",
            str(error),
            "--raw, or the setting `raw`: a directory of results",
        )
        return
    yield Finding("raw files", "ok", f"{len(files)} in {', '.join(map(str, settings.raw))}")


def _published(settings: Settings) -> Iterator[Finding]:
    build = Warehouse(settings.warehouse).published
    if build is None:
        yield Finding(
            "build", "notice", f"nothing is published in {settings.warehouse}", "benchmart build"
        )
    elif damage := why_damaged(build):
        yield Finding("build", "problem", damage, "benchmart rollback, or benchmart build")
    else:
        yield Finding("build", "ok", f"{build.name} is as it was published")


def _attempt(settings: Settings) -> Iterator[Finding]:
    attempt = last_attempt(Warehouse(settings.warehouse))
    if attempt is None:
        return
    where = f", stage {attempt.stage}, since {attempt.started_at}"
    if attempt.state == "failed":
        yield Finding(
            "last attempt",
            "problem",
            f"failed{where}: {attempt.error}",
            "mend that, then benchmart build",
        )
    elif attempt.state == "killed":
        yield Finding("last attempt", "notice", f"was killed{where}", "benchmart build")
    else:
        yield Finding("last attempt", "ok", f"{attempt.state}{where}")


def _news(settings: Settings) -> Iterator[Finding]:
    """Whether a build of the raw files would find something new."""
    warehouse = Warehouse(settings.warehouse)
    if warehouse.published is None or not settings.raw:
        return
    try:
        pins = warehouse.pins()
        files = {file.name: file.hash for file in input_files(settings, warehouse)}
    except BenchmartError as error:
        yield Finding("freshness", "problem", str(error), "mend that first")
        return
    same = built_before(warehouse, fingerprint_of(files, settings, pins))
    if same == warehouse.published.name:
        yield Finding("freshness", "ok", "the build is made of these files, settings and code")
    elif same:
        anew = "benchmart build --full-refresh, if it is to serve again"
        yield Finding("freshness", "notice", f"these files made build {same}", anew)
    else:
        learned = warehouse.manifest().get("files", {})
        news = sum(learned.get(name) != digest for name, digest in files.items())
        others = (
            f"{news} of {len(files)} files are new or changed"
            if news
            else "settings, code or replays (benchmart backtest) changed"
        )
        yield Finding(
            "freshness",
            "notice",
            f"{others} since the build",
            "run benchmart build",
        )


def _room(settings: Settings) -> Iterator[Finding]:
    warehouse = Warehouse(settings.warehouse)
    if warehouse.published is None:
        return
    size = sum(path.stat().st_size for path in warehouse.published.rglob("*") if path.is_file())
    free = shutil.disk_usage(settings.warehouse).free
    found = f"{free / 2**30:.1f} GiB free, a build takes {size / 2**30:.1f}"
    if free < ROOM_IN_BUILDS * size:
        yield Finding(
            "disk", "problem", found, "make room, or keep fewer builds: the setting `keep_builds`"
        )
    else:
        yield Finding("disk", "ok", found)


def _tracking(settings: Settings) -> Iterator[Finding]:
    database = Path(settings.mlruns) / "mlflow.db"
    folder = database.parent
    writable = os.access(folder if folder.is_dir() else folder.parent, os.W_OK)
    if not writable:
        yield Finding(
            "MLflow",
            "problem",
            f"{folder} cannot be written",
            "the setting `mlruns`, or its permissions",
        )
    elif database.is_file():
        yield Finding(
            "MLflow", "ok", f"{database}: mlflow ui --backend-store-uri sqlite:///{database}"
        )
