"""The tests of a plan that this machine can run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pipelines.measure.accelerators import Accelerator
from pipelines.measure.architectures import ARCHITECTURES, Architecture
from pipelines.measure.cases import CONFIGURED, Case
from pipelines.measure.conditions import usable_cores
from pipelines.measure.processor import PRECISIONS, hardware_name
from pipelines.measure.suite import NEIGHBOUR
from pipelines.plan_file import in_words, tests_of
from pipelines.suggest import did_you_mean

ON_ACCELERATORS = ("pytorch", "torch.compile")
Models = Mapping[str, Architecture]
FRAMEWORKS = ("pytorch", "torch.compile", "onnxruntime", "openvino")
BESIDE = replace(NEIGHBOUR, beside=NEIGHBOUR).options


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


class Here(NamedTuple):
    """What this machine has to measure on, and to measure."""

    accelerator: Accelerator | None = None
    models: Models = ARCHITECTURES

    @property
    def platforms(self) -> dict[str, dict]:
        """Fields of a case by the name of a platform."""
        cores = range(1, len(usable_cores()) + 1)
        found: dict[str, dict] = {hardware_name(count): {"threads": count} for count in cores}
        if self.accelerator:
            found[self.accelerator.name] = {"threads": 1, "accelerator": self.accelerator}
        return found

    def why_not(self, test: dict) -> str | None:
        """Why a test cannot be run here; `None` where it can."""
        model, platforms = test["model_name"], self.platforms
        if model not in self.models:
            return f"no architecture is called '{model}'{did_you_mean(model, self.models)}"
        if test["hardware"] not in platforms or (test.get("device_count") or 1) > 1:
            return f"needs {test['hardware']}; this is {', '.join(platforms)}"
        on_accelerator = "accelerator" in platforms[test["hardware"]]
        frameworks = ON_ACCELERATORS if on_accelerator else FRAMEWORKS
        if test.get("framework") not in frameworks:
            return f"framework '{test.get('framework')}'; there are {', '.join(frameworks)}"
        if test.get("options") and (on_accelerator or test["options"] != BESIDE):
            return f"options '{test['options']}'"
        if test.get("task") not in (None, "inference"):
            return f"task '{test['task']}'"
        return self._why_no_case(test)

    def _why_no_case(self, test: dict) -> str | None:
        """Why what would be timed is not what the test asks for; `None` where it is."""
        model = self.models[test["model_name"]]
        accelerator = self.platforms[test["hardware"]].get("accelerator")
        precisions = accelerator.precisions if accelerator else PRECISIONS
        if test.get("precision") not in (None, *precisions):
            return f"precision '{test['precision']}'; there are {', '.join(precisions)}"
        if test.get("throughput_unit") not in (None, model.throughput_unit):
            return f"throughput in {test['throughput_unit']}; here it is {model.throughput_unit}"
        generates = {"output_length"} if model.model_type == "text_generation" else set()
        named = model.sizes | generates | {"batch_size"}
        missing = sorted(name for name in named if test.get(name) is None)
        return f"its {missing[0]} is not known" if missing else None

    def case_of(self, test: dict) -> Case:
        """The case that a test is, which can be run here."""
        stated = {name: test[name] for name in CONFIGURED if test.get(name) is not None}
        stated["precision"] = test.get("precision") or "fp32"
        stated["beside"] = NEIGHBOUR if test.get("options") == BESIDE else None
        return Case(self.models[test["model_name"]], **stated, **self.platforms[test["hardware"]])


def planned(
    path: Path, here: Here, find_accelerator: Callable[[], Accelerator | None] = lambda: None
) -> Planned:
    """Read a plan, in its order.

    Parameters
    ----------
    find_accelerator
        Asked where a test is not for a processor like this one's.

    Raises
    ------
    InputError
        Where the file is no plan.
    """
    tests = tests_of(path)
    if any(test["hardware"] not in here.platforms for test in tests):
        here = here._replace(accelerator=find_accelerator())
    found: dict[Case, str] = {}
    others = []
    for test in tests:
        if reason := here.why_not(test):
            others.append(f"{in_words(test)}: {reason}")
        else:
            found[here.case_of(test)] = test["config_id"]
    return Planned(found, others)
