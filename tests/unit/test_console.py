"""What long work says of itself."""

import io
import itertools

import pytest
from rich.console import Console

from pipelines import console
from pipelines.console import Reporter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch):
    """Every look at it is 25 seconds after the last one."""
    seconds = itertools.count(0, 25)
    monkeypatch.setattr(console.time, "monotonic", lambda: next(seconds))


def reporter(terminal: bool) -> tuple[Reporter, io.StringIO]:
    said = io.StringIO()
    made = Reporter()
    made.console = Console(file=said, force_terminal=terminal, color_system=None, width=80)
    return made, said


def test_a_pipe_gets_a_line_a_minute_with_what_is_left(clock):
    made, said = reporter(terminal=False)
    with made.counted("abcdefgh", 8, "letters") as counted:
        assert list(counted) == list("abcdefgh")
    lines = said.getvalue().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "3 of 8 letters, about 0:02:05 left",
        "6 of 8 letters, about 0:00:50 left",
    ]


def test_short_work_is_quiet_in_a_pipe():
    made, said = reporter(terminal=False)
    with made.counted(iter(range(1000)), 1000, "numbers") as counted:
        assert sum(counted) == 499_500
    assert said.getvalue() == ""


def test_a_terminal_gets_a_bar_and_the_spinner_back():
    made, said = reporter(terminal=True)
    with made.stage("counting"), made.counted([1, 2], 2, "numbers") as counted:
        assert list(counted) == [1, 2]
    shown = said.getvalue()
    assert "counting ..." in shown and "numbers" in shown and "2/2" in shown
    assert "counting: 0.0 s" in shown


def test_nothing_moves_any_more_once_something_failed():
    made, said = reporter(terminal=True)
    counting = made.counted([1, 0], 2, "numbers")
    with pytest.raises(ZeroDivisionError) as failed, made.stage("counting"), counting as counted:
        for number in counted:
            1 / number
    made.say("failed")  # while the error still holds what was at work
    assert said.getvalue().splitlines()[-1].endswith("failed")
    assert failed.traceback and not made.console._live_stack
    with made.stage("again"):
        pass
    assert "again: " in said.getvalue()
