"""The warehouse directory: builds, the lock, and publishing all or nothing.

    <warehouse>/builds/<build_id>.staging/   where a build works, under the lock
    <warehouse>/builds/<build_id>/           finished, read-only
    <warehouse>/current -> builds/<build_id> what readers open
    <warehouse>/attempt.json                 the last attempt to build, unless it published
    <warehouse>/rolled_back.json             builds that were taken back
    <warehouse>/pins.json                    versions of models that a person chose to serve
    <warehouse>/backtests/<metric>.parquet   curves of replays, for the next build to publish; and drawn
    <warehouse>/recorded/                    results that were recorded; every build reads them too

A build that fails or is killed leaves a staging directory and `attempt.json`; the next build removes
them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import BuildLocked, InputError
from pipelines.locks import held

DATABASE = "benchmart.duckdb"
STAGING = ".staging"
MANIFEST = "manifest.json"
REPORT = "report.html"
PINS = "pins.json"
ROLLED_BACK = "rolled_back.json"


class Warehouse:
    """Paths of a warehouse and the moves between them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.builds = root / "builds"
        self.current = root / "current"
        self.backtests = root / "backtests"
        self.recorded = root / "recorded"

    @property
    def published(self) -> Path | None:
        """Directory of the published build, `None` before the first one."""
        return self.current.resolve() if (self.current / DATABASE).is_file() else None

    @property
    def curves(self) -> list[Path]:
        """Files of curves that a build publishes."""
        return sorted(self.backtests.glob("*.parquet"))

    def require_published(self) -> Path:
        """Directory of the published build.

        Raises
        ------
        InputError
            Where nothing is published yet.
        """
        if self.published is None:
            raise InputError(f"{self.root}: no published build here; run `benchmart build` first")
        return self.published

    def manifest(self) -> dict:
        """What the published build says of itself."""
        return read_manifest(self.current)

    def pins(self) -> dict[str, str]:
        """Version of the model that a person chose to serve, by metric."""
        path = self.root / PINS
        try:
            pins = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
            if not isinstance(pins, dict) or not all(isinstance(v, str) for v in pins.values()):
                raise ValueError("expected versions by metric")
        except ValueError as error:
            raise InputError(f"{path}: {error}; remove it to let builds choose again") from None
        return pins

    def pin(self, metric: str, version: str | None) -> None:
        """Let a version serve while its metric is learned, or with `None` let builds choose again."""
        pins = {name: kept for name, kept in self.pins().items() if name != metric}
        if version is not None:
            pins[metric] = version
        text = json.dumps(pins, indent=2)
        replace_file(self.root / PINS, lambda part: part.write_text(text, encoding="utf-8"))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the build lock; the kernel releases it when the process dies.

        Raises
        ------
        BuildLocked
            When another build holds it.
        """
        self.builds.mkdir(parents=True, exist_ok=True)

        def refuse() -> None:
            raise BuildLocked(f"{self.root}: another build is running") from None

        # who cannot build cannot open it, and so not hold it either
        with held(self.root / "build.lock", refuse, mode=0o600):
            yield

    @property
    def has_recorded(self) -> bool:
        """Whether results were recorded; what a killed process left half-written does not count."""
        return any(not path.name.startswith(".") for path in self.recorded.glob("*"))

    def keep(self, results: Path, name: str) -> None:
        """Keep a copy of results, whole or not at all, under the last part of a name."""
        self.recorded.mkdir(exist_ok=True)
        kept = self.recorded / Path(name).name
        replace_file(kept, lambda part: shutil.copyfile(results, part))
        _sync(self.recorded)

    def stage(self) -> Path:
        """A fresh staging directory; what killed builds left behind is removed."""
        published, taken_back = self.published, self.rolled_back()
        for build in self.finished() if published else ():
            if build.name > published.name and build.name not in taken_back:
                self._remove(build)  # killed before anybody could open it
        self.clear_staging()
        staging = self.builds / (self._new_build_id() + STAGING)
        staging.mkdir()
        return staging

    def clear_staging(self) -> None:
        """Remove what failed and killed builds left behind."""
        for leftover in self.builds.glob(f"*{STAGING}"):
            shutil.rmtree(leftover)

    def publish(self, staging: Path, keep: int) -> Path:
        """Make a finished staging directory the published build; keep the last `keep` builds."""
        for path in (*staging.rglob("*"), staging):
            _sync(path)
            path.chmod(0o444 if path.is_file() else 0o755)
        build = staging.with_name(staging.name.removesuffix(STAGING))
        staging.rename(build)
        _sync(self.builds)
        self._point_to(build)
        taken_back = self.rolled_back()
        for served in (True, False):
            own = [old for old in self.finished() if (old.name not in taken_back) == served]
            for old in own[:-keep]:
                self._remove(old)
        return build

    def _remove(self, build: Path) -> None:
        """Remove a build; what is left of it where that is cut short is no build any more."""
        rest = build.with_name(build.name + STAGING)
        build.rename(rest)
        shutil.rmtree(rest, ignore_errors=True)

    def finished(self) -> list[Path]:
        """Directories of finished builds, oldest first."""
        if not self.builds.is_dir():
            return []
        paths = (path for path in self.builds.iterdir() if (path / DATABASE).is_file())
        return sorted(path for path in paths if path.suffix != STAGING)

    def rolled_back(self) -> set[str]:
        """Builds that were taken back."""
        path = self.root / ROLLED_BACK
        try:
            return set(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else set()
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{path}: {error}; name again what was rolled back, as a list"
            ) from None

    def earlier(self, build_id: str | None = None) -> Path:
        """A kept build; by default the one that served before the published one.

        Raises
        ------
        InputError
            Where there is none, or none of that name.
        """
        kept, current = {build.name: build for build in self.finished()}, self.published
        if build_id is not None:
            if build_id not in kept:
                raise InputError(f"no build '{build_id}' is kept; there are {', '.join(kept)}")
            return kept[build_id]
        names = kept.keys() - self.rolled_back()
        if current is not None:
            names = {name for name in names if name < current.name}
        if not names:
            before = f" before {current.name}" if current else ""
            raise InputError(f"{self.root}: no build{before} is kept")
        return kept[max(names)]

    def roll_back_to(self, build: Path) -> None:
        """Publish a kept build again; all that are newer are taken back. The lock is held."""
        newer = {each.name for each in self.finished() if each.name > build.name}
        text = json.dumps(sorted((self.rolled_back() | newer) - {build.name}))
        replace_file(self.root / ROLLED_BACK, lambda part: part.write_text(text, encoding="utf-8"))
        self._point_to(build)

    def _point_to(self, build: Path) -> None:
        link = self.root / "current.new"
        link.unlink(missing_ok=True)
        link.symlink_to(Path("builds") / build.name)
        link.replace(self.current)
        _sync(self.root)

    def _new_build_id(self) -> str:
        """Named by time; always after the newest build, also when the clock was set back."""
        name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        newest = max((path.name for path in self.finished()), default="")
        return name if name > newest else f"{newest}+"


def read_manifest(build: Path) -> dict:
    """What a build says of itself, empty where it says nothing."""
    try:
        told = json.loads((build / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        _sync(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
