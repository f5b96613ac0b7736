"""What a running command says: progress on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.status import Status

from pipelines.terminal import printable

Item = TypeVar("Item")
Count = Callable[[int, int], object]  # told how many are done, of how many
QUIET_FOR = 60  # seconds between lines about the same work, where there is no terminal


class Reporter:
    """Announces stages on standard error, so that standard output stays for results.

    Attributes
    ----------
    seconds
        Wall time of each finished stage.
    entered
        Called with the name of each stage that begins.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        self.seconds: dict[str, float] = {}
        self.entered: Callable[[str], object] = lambda name: None
        self._spinner: Status | None = None

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Announce a stage, and how long it took once it is done."""
        self.entered(name)
        started = time.perf_counter()
        if self.console.is_terminal:
            self._spinner = self.console.status(f"{name} ...")
        try:
            with self._spinner or contextlib.nullcontext():
                yield
        finally:
            self._spinner = None
        self.seconds[name] = time.perf_counter() - started
        self.say(f"{name}: {self.seconds[name]:.1f} s")

    @contextlib.contextmanager
    def counted(self, items: Iterable[Item], total: int, what: str) -> Iterator[Iterator[Item]]:
        """Items as they come: how many came, of how many, and how long the others may take."""
        with self.counting(what) as count:
            yield _each(items, total, count)

    @contextlib.contextmanager
    def counting(self, what: str) -> Iterator[Count]:
        """As `counted`, for work that says itself how many are done, of how many."""
        if not self.console.is_terminal:
            yield self._told(what)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        progress = Progress(*columns, TimeRemainingColumn(), console=self.console, transient=True)
        with self._instead_of_spinner(), progress:
            task = progress.add_task(what, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    def say(self, text: str) -> None:
        """One line; text from data is printed as it is, never read as markup."""
        stamp = "" if self.console.is_terminal else time.strftime("%H:%M:%S ")
        self.console.print(stamp + printable(text), markup=False)

    def _told(self, what: str) -> Count:
        """A line a minute."""
        started = said = time.monotonic()

        def count(done: int, total: int) -> None:
            nonlocal said
            if not 0 < done < total:
                return
            now = time.monotonic()
            if now - said >= QUIET_FOR:
                left = timedelta(seconds=round((now - started) / done * (total - done)))
                self.say(f"{done} of {total} {what}, about {left} left")
                said = now

        return count

    @contextlib.contextmanager
    def _instead_of_spinner(self) -> Iterator[None]:
        """A terminal shows one thing that moves."""
        if self._spinner:
            self._spinner.stop()
        try:
            yield
        finally:
            if self._spinner:
                self._spinner.start()


def _each(items: Iterable[Item], total: int, count: Count) -> Iterator[Item]:
    count(0, total)
    for number, item in enumerate(items, start=1):
        yield item
        count(number, total)
