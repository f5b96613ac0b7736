"""The last attempt to build: what it is doing, or why nothing came of it.

`<warehouse>/attempt.json` is written when a build starts and at each of its stages, and removed when it
has published. What is left names the stage in which a build was killed, or the reason why it failed.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pipelines.warehouse import STAGING, Warehouse, replace_file

ATTEMPT = "attempt.json"


@dataclass(frozen=True)
class Attempt:
    """A build that has not published.

    Attributes
    ----------
    pid, host
        The process that builds.
    begun
        When it began, on the clock of its machine: numbers of processes are used again. None where the
        system does not tell.
    stage
        What it does, or did last.
    failed_at, error
        When and why it ended; None while it runs, and where it was killed.
    staging
        Where to look at what it made; None before there is anything.
    """

    pid: int
    host: str
    begun: str | None
    started_at: str
    stage: str = "starting"
    failed_at: str | None = None
    error: str | None = None
    staging: str | None = None

    @property
    def state(self) -> str:
        """`failed`, `building`, `killed`; `unknown` for a process of another machine."""
        if self.error is not None:
            return "failed"
        if self.host != socket.gethostname():
            return "unknown"
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return "killed"
        except PermissionError:
            pass  # it is there, and somebody else's
        return "building" if _begun(self.pid) == self.begun else "killed"


def last_attempt(warehouse: Warehouse) -> Attempt | None:
    """The last attempt, unless it published."""
    try:
        text = (warehouse.root / ATTEMPT).read_text(encoding="utf-8")
        attempt = Attempt(**json.loads(text))
    except (FileNotFoundError, ValueError, TypeError):
        return None  # none, or of another version
    build_id = Path(attempt.staging or "").name.removesuffix(STAGING)
    return None if build_id in {build.name for build in warehouse.finished()} else attempt


class Journal:
    """Keeps `attempt.json` up to date while a build runs."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._path = warehouse.root / ATTEMPT
        self._attempt = Attempt(os.getpid(), socket.gethostname(), _begun(os.getpid()), _now())

    @contextlib.contextmanager
    def kept(self) -> Iterator[Journal]:
        """Note the start; the end too, however it comes."""
        self._write()
        try:
            yield self
        except BaseException as error:
            with contextlib.suppress(OSError):  # the disk may be full: what went wrong counts
                self._note(failed_at=_now(), error=_reason(error))
            raise
        self._path.unlink(missing_ok=True)

    def enter(self, stage: str) -> None:
        """Note that a stage begins."""
        self._note(stage=stage)

    def in_staging(self, staging: Path) -> None:
        """Note where the build works."""
        self._note(staging=str(staging))

    def _note(self, **changed: str) -> None:
        self._attempt = replace(self._attempt, **changed)
        self._write()

    def _write(self) -> None:
        text = json.dumps(asdict(self._attempt), indent=2)
        replace_file(self._path, lambda part: part.write_text(text, encoding="utf-8"))


def _begun(pid: int) -> str | None:
    """Ticks from the start of the machine to that of a process; field 22 of proc_pid_stat(5)."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return told.rpartition(")")[2].split()[19]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text or f"interrupted ({type(error).__name__})"
