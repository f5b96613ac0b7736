"""Runs `benchmart` and kills it at its n-th move in the warehouse.

    python killed.py N ROOT COMMAND ...

A move is what Python does below ROOT: a file opened for writing, renamed, removed, made read-only,
linked; a directory made. What DuckDB does itself is between these. With N = 0 nothing is killed, and the
number of moves is printed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

CHANGING = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.chmod"}
WRITING = os.O_WRONLY | os.O_RDWR


class Killer:
    """Counts moves below a directory; at one of them the process dies."""

    def __init__(self, point: int, root: Path) -> None:
        self.point, self.root, self.moves = point, str(root), 0
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple) -> None:
        if not self._is_move(event, arguments):
            return
        self.moves += 1
        if self.moves == self.point:
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_move(self, event: str, arguments: tuple) -> bool:
        if event == "open":
            path, _, flags = arguments
            if not (isinstance(flags, int) and flags & WRITING):
                return False
        elif event in CHANGING:
            path = arguments[0]
            if event in ("os.remove", "os.rmdir") and arguments[-1] not in (-1, None):
                return True  # of a tree that is removed: a name in an open directory
        else:
            return False
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.root)


if __name__ == "__main__":
    from pipelines.cli import main

    killer = Killer(int(sys.argv[1]), Path(sys.argv[2]))
    sys.argv = ["benchmart", *sys.argv[3:]]
    try:
        main()
    finally:
        print(f"moves: {killer.moves}", file=sys.stderr)
