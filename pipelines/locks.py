"""Locks between processes, which the kernel releases when their holder dies."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def held(path: Path, when_taken: Callable[[], object], mode: int = 0o644) -> Iterator[None]:
    """Hold a lock.

    Parameters
    ----------
    path
        Its file.
    when_taken
        Called while another process holds it: what it raises is raised, else the lock is waited for.
    mode
        Of the file: who may not open it cannot hold it.
    """
    lock = FileLock(path, mode=mode)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        when_taken()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def lock_of_user(name: str) -> Path:
    """File of a lock that all processes of this user on this machine share."""
    return Path(tempfile.gettempdir()) / f"benchmart-{name}-{os.getuid()}.lock"
