"""Plans as files."""

from __future__ import annotations

import json
from pathlib import Path

from models_py.plan import CONFIGURATION, COUNTS
from pipelines.errors import InputError

NEEDED = ("config_id", "model_name", "hardware")
WORDS = tuple(name for name in CONFIGURATION if name not in COUNTS)


def tests_of(path: Path) -> list[dict]:
    """Tests of a plan, in its order.

    Raises
    ------
    InputError
        Where the file is no plan, or what a test says is no configuration.
    """
    try:
        tests = json.loads(path.read_text(encoding="utf-8"))["recommendations"]
        faults = [_fault(test) for test in tests]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"--plan {path}: no plan of this program: {error!r}") from None
    names = [test.get("config_id") for test in tests]
    for number, (name, fault) in enumerate(zip(names, faults, strict=True), start=1):
        if not fault and name in names[: number - 1]:
            fault = f"has the config_id of test {names.index(name) + 1}: '{name}'"
        if fault:
            raise InputError(f"--plan {path}: test {number} {fault}")
    return tests


def _fault(test: dict) -> str:
    """What is wrong with a test, empty where nothing is."""
    for name in NEEDED:
        if test.get(name) is None:
            return f"has no {name}"
    for name in ("config_id", *WORDS):
        if not isinstance(test.get(name), str | None):
            return f"has a {name} that is no text: {test[name]!r}"
    for name in COUNTS:
        count = test.get(name)
        if count is not None and (type(count) is not int or count < 1):
            return f"has a {name} that is no number of 1, 2, 3 and so on: {count!r}"
    return ""


def in_words(test: dict) -> str:
    """What a test is called."""
    return test.get("configuration") or f"{test['model_name']} on {test['hardware']}"
