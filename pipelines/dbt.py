"""dbt in this process."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pipelines.console import Count
from pipelines.errors import BenchmartError
from pipelines.memory import DEFAULT_LIMIT, give_back, in_words, of_marts
from pipelines.settings import PROJECT
from pipelines.warehouse import DATABASE, replace_file

DBT_PROJECT = PROJECT / "dbt_project"
PARSED = "partial_parse.msgpack"  # which dbt checks against the project, and parses what differs
QUIETLY = ("--log-level", "none", "--log-level-file", "error", "--no-use-colors")


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """Of dbt's many objects few are in cycles; looking for them is an eighth of what it takes."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class Dbt:
    """The dbt project on the database of a directory: parsed once, then invoked as often as needed.

    Parameters
    ----------
    directory
        Holds the DuckDB file; while a method runs, no other connection to it may be open here.
    target
        Where dbt keeps its artifacts and logs. What was parsed is reused by the next build there, and
        by the first build elsewhere, by way of the project's own target directory.
    memory
        What DuckDB may hold in memory, bytes.
    """

    def __init__(
        self, directory: Path, target: Path, memory: int = of_marts(DEFAULT_LIMIT)
    ) -> None:
        self.directory = directory
        self.database = directory / DATABASE
        self.target = target
        self.memory = memory
        self.manifest = None

    def build(self, select: Sequence[str], count: Count = lambda done, total: None) -> None:
        """Build and test the selected nodes; a test runs when all it reads was selected.

        Unit tests, which judge the SQL and not the data, are left to the test suite.

        Parameters
        ----------
        count
            Told how many nodes are done, of how many.

        Raises
        ------
        BenchmartError
            Naming the first model or test that failed and how many others did.
        """
        self.invoke(
            *("build", "--no-write-json", "--exclude-resource-type", "unit_test"),
            *("--indirect-selection", "cautious", "--select", *select),
            callbacks=(_counting(count),),
        )

    def write_lineage(self, page: Path) -> None:
        """Write the documentation of every table and the graph between them as one page."""
        self.write_manifest()  # from which the page is made
        self.invoke("docs", "generate", "--static", "--no-compile")
        shutil.copyfile(self.target / "static_index.html", page)

    def write_manifest(self) -> Path:
        """Write dbt's `manifest.json`, with what was compiled so far."""
        self._parse()
        path = self.target / "manifest.json"
        self.manifest.write(str(path))
        return path

    def invoke(self, *arguments: str, callbacks: Sequence[Callable] = ()):
        """Run a dbt command on the parsed project, as `build` does; callbacks get its events."""
        self._parse()
        return self._run(*arguments, callbacks=callbacks)

    def _parse(self) -> None:
        if self.manifest is not None:
            return
        own, shared = self.target / PARSED, DBT_PROJECT / "target" / PARSED
        with contextlib.suppress(OSError):  # the project may be another user's
            if shared.is_file() and not own.is_file():
                _copy(shared, own)
        self.manifest = self._run("parse", "--no-write-json")
        with contextlib.suppress(OSError):
            if not shared.is_file() or shared.stat().st_mtime < own.stat().st_mtime:
                _copy(own, shared)

    @_without_collecting()
    def _run(self, *arguments: str, callbacks: Sequence[Callable] = ()):
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        os.environ["DO_NOT_TRACK"] = "true"
        os.environ["DBT_DUCKDB_MEMORY"] = in_words(self.memory)
        target = str(self.target.resolve())
        places = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
        places += ["--target-path", target, "--log-path", target]
        # the profile names the database relative to the working directory: a path that differed in
        # every build would make dbt parse the whole project anew
        try:
            with contextlib.chdir(self.directory):
                runner = dbtRunner(manifest=self.manifest, callbacks=list(callbacks))
                result = runner.invoke([*QUIETLY, *arguments, *places])
        finally:
            # dbt keeps the file locked after it returns
            DuckDBConnectionManager.close_all_connections()
            give_back()
        if not result.success:
            raise BenchmartError(f"dbt: {_first_failure(result)}; log in {self.target}")
        return result.result


def _copy(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda part: shutil.copy2(source, part))


def _counting(count: Count) -> Callable:
    done, total = itertools.count(1), 0

    def told(event) -> None:
        nonlocal total
        if event.info.name == "LogStartLine":
            total = event.data.total
        elif event.info.name == "NodeFinished":
            count(next(done), total)

    return told


def _first_failure(result) -> str:
    if result.exception is not None:
        return _one_line(str(result.exception))
    failed = [node for node in result.result if node.status in ("error", "fail", "runtime error")]
    others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{failed[0].node.name}: {_one_line(str(failed[0].message))}{others}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:600]
