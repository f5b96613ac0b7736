"""What a running command says: a spinner on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console

from pipelines.terminal import printable


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

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Announce a stage, and how long it took once it is done."""
        self.entered(name)
        started = time.perf_counter()
        live = self.console.status(f"{name} ...") if self.console.is_terminal else None
        with live or contextlib.nullcontext():
            yield
        self.seconds[name] = time.perf_counter() - started
        self.say(f"{name}: {self.seconds[name]:.1f} s")

    def say(self, text: str) -> None:
        """One line; text from data is printed as it is, never read as markup."""
        stamp = "" if self.console.is_terminal else time.strftime("%H:%M:%S ")
        self.console.print(stamp + printable(text), markup=False)
