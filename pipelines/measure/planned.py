"""The tests of a plan that this machine can run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pipelines.measure.architectures import ARCHITECTURES, Architecture
from pipelines.measure.cases import CONFIGURED, Case
from pipelines.measure.conditions import usable_cores
from pipelines.measure.processor import hardware_name
from pipelines.plan_file import in_words, tests_of
from pipelines.suggest import did_you_mean

Models = Mapping[str, Architecture]
FRAMEWORKS = ("pytorch", "torch.compile", "onnxruntime", "openvino")


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


def planned(path: Path, models: Models = ARCHITECTURES) -> Planned:
    """Read a plan, in its order.

    Parameters
    ----------
    models
        What can be timed, by name.

    Raises
    ------
    InputError
        Where the file is no plan.
    """
    found: dict[Case, str] = {}
    others = []
    for test in tests_of(path):
        if reason := why_not(test, models):
            others.append(f"{in_words(test)}: {reason}")
        else:
            found[case_of(test, models)] = test["config_id"]
    return Planned(found, others)


def why_not(test: dict, models: Models = ARCHITECTURES) -> str | None:
    """Why this machine cannot run a test; `None` where it can."""
    model, here = test["model_name"], hardware_here()
    if model not in models:
        return f"no architecture is called '{model}'{did_you_mean(model, models)}"
    if test.get("framework") not in FRAMEWORKS:
        return f"framework '{test.get('framework')}'; there are {', '.join(FRAMEWORKS)}"
    if test["hardware"] not in here or (test.get("device_count") or 1) > 1:
        return f"needs {test['hardware']}; this is {', '.join(here)}"
    if test.get("options"):
        return f"options '{test['options']}'"
    if test.get("task") not in (None, "inference"):
        return f"task '{test['task']}'"
    named = models[model].sizes | {"batch_size"}
    missing = sorted(name for name in named if test.get(name) is None)
    return f"its {missing[0]} is not known" if missing else None


def hardware_here() -> dict[str, int]:
    """Threads by the name that this machine has with so many."""
    return {hardware_name(count): count for count in range(1, len(usable_cores()) + 1)}


def case_of(test: dict, models: Models = ARCHITECTURES) -> Case:
    """The case that a test of this machine is."""
    stated = {name: test[name] for name in CONFIGURED if test.get(name) is not None}
    stated |= {"precision": test.get("precision") or "fp32"}
    threads = hardware_here()[test["hardware"]]
    return Case(models[test["model_name"]], threads=threads, **stated)
