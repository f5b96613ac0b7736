"""The tests of a plan that this machine can run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import InputError
from pipelines.measure.architectures import ARCHITECTURES
from pipelines.measure.cases import CONFIGURED, Case
from pipelines.measure.conditions import usable_cores
from pipelines.measure.processor import hardware_name
from pipelines.suggest import did_you_mean

FRAMEWORKS = ("pytorch", "torch.compile", "onnxruntime", "openvino")
NEEDED = ("config_id", "model_name", "hardware", "batch_size")


class Planned(NamedTuple):
    """Tests of a plan.

    Attributes
    ----------
    cases
        What can be timed here, by what the plan calls it.
    others
        What cannot, in words, and why.
    """

    cases: dict[Case, str]
    others: list[str]


def planned(path: Path) -> Planned:
    """Read a plan, in its order.

    Raises
    ------
    InputError
        Where the file is no plan.
    """
    found: dict[Case, str] = {}
    others = []
    for test in tests_of(path):
        if reason := why_not(test):
            others.append(f"{in_words(test)}: {reason}")
        else:
            found[case_of(test)] = test["config_id"]
    return Planned(found, others)


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


def why_not(test: dict) -> str | None:
    """Why this machine cannot run a test; `None` where it can."""
    model, here = test["model_name"], hardware_here()
    if model not in ARCHITECTURES:
        return f"no architecture is called '{model}'{did_you_mean(model, ARCHITECTURES)}"
    if test.get("framework") not in FRAMEWORKS:
        return f"framework '{test.get('framework')}'; there are {', '.join(FRAMEWORKS)}"
    if test["hardware"] not in here or (test.get("device_count") or 1) > 1:
        return f"needs {test['hardware']}; this is {', '.join(here)}"
    if test.get("options"):
        return f"options '{test['options']}'"
    if test.get("task") not in (None, "inference"):
        return f"task '{test['task']}'"
    shapes = ARCHITECTURES[model].inputs.values()
    named = {size for shape in shapes for size in shape if isinstance(size, str)}
    missing = sorted(name for name in named if test.get(name) is None)
    return f"its {missing[0]} is not known" if missing else None


def in_words(test: dict) -> str:
    """What a test is called."""
    return test.get("configuration") or f"{test['model_name']} on {test['hardware']}"


def hardware_here() -> dict[str, int]:
    """Threads by the name that this machine has with so many."""
    return {hardware_name(count): count for count in range(1, len(usable_cores()) + 1)}


def case_of(test: dict) -> Case:
    """The case that a test of this machine is."""
    stated = {name: test[name] for name in CONFIGURED if test.get(name) is not None}
    stated |= {"precision": test.get("precision") or "fp32"}
    return Case(threads=hardware_here()[test["hardware"]], **stated)
