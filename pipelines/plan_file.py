"""Plans as files."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.errors import InputError

NEEDED = ("config_id", "model_name", "hardware")


def tests_of(path: Path) -> list[dict]:
    """Tests of a plan, in its order.

    Raises
    ------
    InputError
        Where the file is no plan.
    """
    try:
        tests = json.loads(path.read_text(encoding="utf-8"))["recommendations"]
        for number, test in enumerate(tests, start=1):
            for name in NEEDED:
                if test.get(name) is None:
                    raise InputError(f"--plan {path}: test {number} has no {name}")
        return tests
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"--plan {path}: no plan of this program: {error!r}") from None


def in_words(test: dict) -> str:
    """What a test is called."""
    return test.get("configuration") or f"{test['model_name']} on {test['hardware']}"
