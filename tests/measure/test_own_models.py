"""Models of the user's own: as files describe them, and timed."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import InputError
from pipelines.measure import processes
from pipelines.measure.cases import Case
from pipelines.measure.output import read
from pipelines.measure.own_models import read_models, smallest_of_own_models
from pipelines.measure.processor import hardware_name
from pipelines.measure.runner import run_cases
from pipelines.measure.suite import cases_of
from tests.support import PROJECT, Commands, needs_torch

FACTORY = """
from torch import nn
from layers import WIDTH

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, WIDTH)
        self.layer = nn.Linear(WIDTH, WIDTH)

    def forward(self, items, weights):
        return {"scores": self.layer(self.embedding(items)) * weights[..., None]}

def net():
    return Net()

def broken():
    raise OSError("no such\\n  weights")

def number():
    return 7

def crashing():
    import os
    os._exit(3)

def hanging():
    import time
    time.sleep(600)
"""
STILL = """
from torch import nn

class Still(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3 * 8 * 8, 2)

    def forward(self, pixels):
        return self.layer(pixels.flatten(1))
"""
PAIR = """
from torch import nn

class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.patch = nn.Embedding(50, 8), nn.Conv2d(3, 8, 4, 4)

    def forward(self, input_ids, attention_mask, pixel_values):
        text = (self.words(input_ids) * attention_mask[..., None]).mean(1)
        return text + self.patch(pixel_values).mean((2, 3))
"""
STILL_TABLE = """
[still]
model_type = "vision"
factory = "nets.py:Still"
image_sizes = [8, 9]
inputs = { pixels = [3, "image_size", "image_size"] }
"""
NET = """
[net]
model_type = "text_embedding"
factory = "nets.py:net"
inputs = { items = ["input_length"], weights = ["input_length"] }
integers = { items = 50 }
largest = 64
"""


@pytest.fixture
def described(tmp_path: Path) -> Path:
    (tmp_path / "nets.py").write_text(FACTORY)
    (tmp_path / "layers.py").write_text("WIDTH = 8\n")
    (tmp_path / "models.toml").write_text(NET)
    return tmp_path / "models.toml"


def write_plan(path: Path, **frameworks: list[str]) -> Path:
    test = {"hardware": hardware_name(1), "batch_size": 2, "input_length": 16, "precision": "fp32"}
    tests = [
        test | {"config_id": f"{model} {name}", "model_name": model, "framework": name}
        for model, names in frameworks.items()
        for name in names
    ]
    path.write_text(json.dumps({"recommendations": tests}))
    return path


def test_a_suite_of_own_models_has_the_sizes_that_they_take(described: Path):
    (net,) = read_models(described).values()
    assert net.factory == (described.parent / "nets.py", "net")
    cases = list(cases_of("quick", [net]))
    assert {case.model for case in cases} == {net}
    assert {(case.batch_size, case.input_length) for case in cases} == {
        *((1, 16), (4, 16), (1, 64)),
    }
    assert {case.concurrency for case in cases_of("contention", [net])} == {1, 2, 4}
    (smallest,) = smallest_of_own_models(cases)
    assert (smallest.framework, smallest.size) == ("pytorch", 16)
    described.write_text(
        '[still]\nmodel_type = "vision"\nfactory = "nets.py:net"\ninputs = {pixels = [3, 32, 32]}\n'
    )
    (still,) = read_models(described).values()
    assert {case.image_size for case in cases_of("quick", [still])} == {None}


def test_what_a_file_says_of_sizes_holds_and_leaves_at_least_the_smallest(described: Path):
    described.write_text(NET.replace("largest = 64", "largest = 3"))
    (net,) = read_models(described).values()
    for suite in ("quick", "contention"):
        sizes = {(case.batch_size, case.input_length) for case in cases_of(suite, [net])}
        assert sizes == {(1, 16)}
    described.write_text(
        '[pair]\nmodel_type = "multimodal"\nfactory = "nets.py:net"\nimage_sizes = [96, 128]\n'
        "largest = 4"
    )
    (pair,) = read_models(described).values()
    found = {(case.batch_size, case.image_size) for case in cases_of("quick", [pair])}
    assert found == {(1, 96), (4, 96), (1, 128), (4, 128)}


@needs_torch
def test_a_graph_takes_all_image_sizes(described: Path, tmp_path: Path):
    (tmp_path / "nets.py").write_text(PAIR)
    described.write_text(
        '[pair]\nmodel_type = "multimodal"\nfactory = "nets.py:Pair"\nimage_sizes = [8, 16]\n'
        "integers = { input_ids = 50 }"
    )
    (pair,) = read_models(described).values()
    cases = [Case(pair, "onnxruntime", "fp32", 1, 1, 4, image_size=size) for size in (8, 16)]
    assert run_cases(dict.fromkeys(cases), tmp_path / "results.csv").ok == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no model"),
        ("[net\n", "line 1"),
        ("net = 7", "[net]"),
        (NET.replace("[net]", "[vit-tiny]"), "choose another"),
        (NET.replace("text_embedding", "text_embeding"), "did you mean 'text_embedding'"),
        (NET.replace("largest", "lagest"), "did you mean 'largest'"),
        (NET.replace('["input_length"], w', '["input_lenght"], w'), "did you mean 'input_length'"),
        (NET.replace("nets.py:net", "nest.py:net"), "no file"),
        (NET.replace("nets.py:net", "nets.py"), "FILE.py:FUNCTION"),
        (NET.replace('factory = "nets.py:net"', ""), "a folder or a factory"),
        (NET + 'folder = "x"', "a folder or a factory"),
        ('[a]\nmodel_type = "audio"\nfolder = "x"', "needs inputs"),
        ('[a]\nmodel_type = "audio"\nfolder = "x"\ninputs = {}', "inputs: "),
        (NET + "image_sizes = []", "image_sizes: "),
        (NET.replace("items = 50", "itens = 50"), "'itens'; did you mean 'items'"),
        (NET + 'model_class = "BertModel"', "a factory makes the model itself"),
        ('[a]\nmodel_type = "vision"\nfolder = "x"', "config.json"),
    ],
)
def test_what_is_wrong_with_a_description_is_said_in_one_line(
    described: Path, text: str, told: str
):
    described.write_text(text)
    with pytest.raises(InputError) as refusal:
        read_models(described)
    said = str(refusal.value)
    assert said.startswith(f"--models {described}: ") and told in said
    assert "\n" not in said


def test_the_example_is_one():
    (mixer,) = read_models(PROJECT / "examples" / "models.toml").values()
    assert mixer.factory == (PROJECT / "examples" / "own_model.py", "mixer_small")


@needs_torch
def test_own_models_are_timed(commands: Commands, described: Path, tmp_path: Path):
    import transformers

    configuration = transformers.BertConfig(
        hidden_size=64, num_hidden_layers=1, num_attention_heads=1, intermediate_size=64
    )
    model = transformers.BertModel(configuration)
    model.save_pretrained(tmp_path / "saved")
    configuration.architectures = ["BertForSequenceClassification"]
    configuration.save_pretrained(tmp_path / "shapes")
    described.write_text(
        NET
        + "".join(
            f'[{name}]\nmodel_type = "text_embedding"\nfolder = "{name}"\n'
            for name in ("saved", "shapes")
        )
    )
    graphs = ["onnxruntime", "openvino"]
    plan = write_plan(
        tmp_path / "plan.json", net=["pytorch", *graphs], saved=["pytorch"], shapes=graphs
    )
    output = tmp_path / "results.csv"
    commands.succeed("measure", "--plan", plan, "--models", described, "--output", output)
    with output.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["notes"] for row in rows if row["status"] != "ok"] == []
    assert {row["config_id"] for row in rows} == {
        test["config_id"] for test in json.loads(plan.read_text())["recommendations"]
    }


@needs_torch
def test_a_model_that_never_returns_is_given_up(described: Path, tmp_path: Path, monkeypatch):
    processes.Processes(tmp_path, 5).check()  # the next ones start at once
    monkeypatch.setattr(processes, "PREPARATION_SECONDS", 15)
    described.write_text(NET.replace("nets.py:net", "nets.py:hanging"))
    (net,) = read_models(described).values()
    with pytest.raises(InputError, match="'net' does not run: took longer than 15 s"):
        run_cases(cases_of("quick", [net]), tmp_path / "results.csv")


@needs_torch
def test_what_describes_models_is_written_once_and_no_run_fails_for_it(
    described: Path, tmp_path: Path
):
    (tmp_path / "nets.py").write_text(STILL)
    described.write_text(STILL_TABLE)
    (still,) = read_models(described).values()
    right = Case(still, "pytorch", "fp32", 1, 1, image_size=8)
    wrong = replace(right, image_size=9)
    told: list[str] = []
    summary = run_cases(
        dict.fromkeys([right, wrong]), tmp_path / "results.csv", on_event=told.append
    )
    assert (summary.ok, summary.error) == (1, 1)
    (row,) = read(tmp_path / "models.csv")
    assert (row["model_name"], row["image_size"]) == ("still", "8")
    (said,) = (text for text in told if "warning: models.csv" in text)
    assert "will not describe still 9: RuntimeError" in said
    before = (tmp_path / "models.csv").stat().st_mtime_ns
    run_cases({replace(right, batch_size=2): None}, tmp_path / "results.csv")
    assert (tmp_path / "models.csv").stat().st_mtime_ns == before


@needs_torch
def test_how_many_tokens_there_are_is_not_made_up(described: Path, tmp_path: Path):
    (tmp_path / "nets.py").write_text(FACTORY.replace("items", "input_ids"))
    unknown = NET.replace("items = [", "input_ids = [").replace("integers = { items = 50 }", "")
    described.write_text(unknown)
    (net,) = read_models(described).values()
    with pytest.raises(InputError, match="how many tokens it knows"):
        run_cases(cases_of("quick", [net]), tmp_path / "results.csv")
    described.write_text(f"{unknown}\nintegers = {{ input_ids = 50 }}")
    (net,) = read_models(described).values()
    case = Case(net, "pytorch", "fp32", 1, 1, 16)
    assert run_cases({case: None}, tmp_path / "results.csv").ok == 1


@needs_torch
@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("broken", "OSError: no such weights"),
        ("number", "returns int"),
        ("nothing", "has no attribute 'nothing'"),
        ("crashing", "ended with code 3"),
    ],
)
def test_no_case_is_blamed_for_a_model_that_does_not_run(
    commands: Commands, described: Path, tmp_path: Path, function: str, told: str
):
    described.write_text(NET.replace("nets.py:net", f"nets.py:{function}"))
    plan, output = write_plan(tmp_path / "plan.json", net=["pytorch"]), tmp_path / "results.csv"
    said = commands.refused("measure", "--plan", plan, "--models", described, "--output", output)
    assert "'net' does not run" in said and told in said
    assert not output.exists()
