"""`benchmart hardware`: what to run a workload on, also one that nobody measured."""

from __future__ import annotations

import json

import pytest

from models_py.sizing import Demand
from pipelines.errors import InputError
from pipelines.hardware import Answer, Request, as_json, in_words, recommend
from pipelines.settings import load_settings
from pipelines.sizing import Sized, size
from pipelines.sizing import in_words as in_words_of_sizing
from tests.support import Commands

FAST, SLOW = "amd-epyc-genoa-2-threads", "amd-epyc-genoa-1-thread"


@pytest.fixture
def ask(published: Commands):
    def asked(model_name: str, objective: str = "throughput", **said: object) -> Answer:
        request = {
            name: said.pop(name) for name in list(said) if name in Request.__dataclass_fields__
        }
        settings = load_settings(warehouse=published.warehouse)
        return recommend(
            settings, Request({"model_name": model_name, **said}, objective, **request)
        )

    return asked


def test_a_known_workload_gets_what_the_tables_say(published: Commands):
    said = published.succeed(
        *("hardware", "--model", "bert-mini", "--batch-size", 4, "--precision", "fp32"),
        *("--metric", "latency", "--json"),
    )
    answer = json.loads(said.stdout)
    assert answer["objective"] == "latency"
    assert len(answer["workloads"]) == 3
    published_ranks = published.query(
        "select workload_id, config_id, rank, p50 from analytics.hardware_recommendations"
        " where objective = 'latency'"
    ).set_index("config_id")
    for workload in answer["workloads"]:
        assert workload["unit"] == "ms"
        own = published_ranks[published_ranks["workload_id"] == workload["workload_id"]]
        assert {option["config_id"] for option in workload["options"]} == set(own.index)
        best = workload["options"][0]
        assert own.loc[best["config_id"], "rank"] == 1
        assert own.loc[best["config_id"], "p50"] == pytest.approx(best["p50"])


def test_a_workload_that_was_never_measured_is_predicted_and_what_is_assumed_is_said(ask):
    answer = ask("bert-mini", batch_size=5)
    assert answer.notes == [
        "bert-mini: never measured so; taken for task inference, precision fp32, input_length 16,"
        " concurrency 1"
    ]
    options = answer.recommendation.options
    assert options["measured_value"].isna().all()
    assert set(options["hardware"]) == {FAST, SLOW}
    assert options["hardware"].iloc[0] == FAST


def test_a_model_that_nobody_has_heard_of_needs_its_type(ask):
    with pytest.raises(InputError, match="nothing is known of 'novel'; state its model type"):
        ask("novel", batch_size=4)
    known = ask("bert-mini", batch_size=5).recommendation.options
    novel = ask("novel", batch_size=5, model_type="text_embedding").recommendation.options
    assert (novel["p95"] / novel["p05"]).min() > (known["p95"] / known["p05"]).max()


def test_what_is_available_is_all_that_is_recommended(ask):
    answer = ask("bert-mini", batch_size=4, available=(SLOW,))
    assert set(answer.recommendation.options["hardware"]) == {SLOW}


def test_an_empty_answer_says_what_binds(published: Commands):
    said = published.succeed(
        *("hardware", "--model", "bert-mini", "--batch-size", 4, "--input-length", 64),
        *("--precision", "fp32", "--slo", "throughput>=1,latency_ms<=0.5"),
    )
    workload, reason = said.stdout.splitlines()
    assert workload == "bert-mini fp32 batch 4 64 tokens"
    assert reason.startswith(
        "  latency_ms<=0.5 with a probability of 90 %: no option; nearest is amd-epyc-genoa-"
    )
    assert " 0 % (median 1" in reason


def test_a_price_limit_where_no_price_is_known_is_refused(published: Commands):
    said = published.refused("hardware", "--model", "bert-mini", "--max-cost-per-hour", 0.1)
    assert "--max-cost-per-hour 0.1: no price of these devices is known (prices.csv)" in said


def test_words_and_json_say_the_same(ask):
    answer = ask("resnet-18", "balanced", batch_size=4, image_size=224, precision="fp32")
    (workload,) = as_json(answer)["workloads"]
    first, *lines = in_words(answer, listed=2)
    assert first == (
        "resnet-18 fp32 batch 4 224 px, balanced in x the best, by throughput 0.57, latency 0.43"
    )
    assert len(workload["options"]) == 6
    assert lines[-1] == "  and 4 more (--json)"
    best, why, second = lines[:3]
    for line, option in zip((best, second), workload["options"], strict=False):
        assert line.startswith(f"  {option['rank']}. {option['platform']}: ")
    assert why.strip() == workload["options"][0]["explanation"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"precision": "fp17"}, "--precision: nothing like it was measured as 'fp17'; did you"),
        (
            {"task": "inferense"},
            "--task: nothing like it was measured as 'inferense'; did you mean",
        ),
        ({"available": ("h100",)}, "--available: nothing was measured on 'h100'; valid: amd-epyc"),
        ({"slo": "ttft_ms<=200"}, "ttft_ms<=200: ttft_ms was not learned; learned: latency_ms"),
        ({"slo": "latency<=2,latency>=3"}, "--slo: latency_ms<=2 and latency_ms>=3 contradict"),
        ({"objective": "cost"}, "--metric: cost: no price of these devices is known"),
        ({"objective": "ttft_ms"}, "--metric: ttft_ms was not learned; learned by this build: thr"),
        ({"objective": "latncy"}, "--metric: unknown metric 'latncy'; did you mean 'latency'?"),
        ({"model_type": "vison"}, "--model-type: nothing of type 'vison' was measured; did you"),
    ],
)
def test_requests_that_make_no_sense_are_refused_in_one_line(ask, said, message):
    with pytest.raises(InputError) as error:
        ask("bert-mini", **said)
    assert str(error.value).startswith(message)


def test_flags_out_of_range_are_refused(published: Commands):
    for flags in (["--max-cost-per-hour", -1], ["--batch-size", 0], ["--confidence", 1]):
        said = published.refused("hardware", "--model", "bert-mini", *flags)
        assert flags[0] in said
    assert "--model" in published.refused("hardware")


@pytest.fixture
def demand(template):
    def demanded(request: dict | None = None, **said: float) -> Sized:
        settings = load_settings(warehouse=template / "warehouse")
        workload = {"model_name": "bert-mini", "precision": "fp32", "input_length": 64}
        return size(settings, Request(workload, "throughput", **(request or {})), Demand(**said))

    return demanded


def test_a_demand_is_carried_by_the_cheapest_replicas(demand):
    answer = demand(requests_per_second=2_000)
    options = answer.sizing.options
    assert options["cost_per_hour"].is_monotonic_increasing
    prices = {SLOW: 0.04, FAST: 0.09}
    assert options["cost_per_hour"].tolist() == pytest.approx(
        (options["hardware"].map(prices) * options["replicas"]).tolist()
    )
    assert (options["prob_carried"] >= 0.6).all()
    larger = demand(requests_per_second=8_000).sizing.options
    assert larger["cost_per_hour"].min() > 3 * options["cost_per_hour"].min()
    said = in_words_of_sizing(answer)
    assert said[1] == "bert-mini fp32, input length 64"
    assert said[2].startswith(f"  1. {options['replicas'].iloc[0]} x {SLOW} x1 ")


def test_a_promise_bounds_the_batch(demand):
    free = demand(requests_per_second=2_000).sizing.options.set_index("platform_id")
    kept = demand({"slo": "latency<=20", "confidence": 0.9}, requests_per_second=2_000)
    options = kept.sizing.options.set_index("platform_id")
    assert len(options)
    assert (options["batch_size"] <= free["batch_size"].reindex(options.index)).all()
    assert (options["cost_per_hour"] >= free["cost_per_hour"].reindex(options.index)).all()


def test_a_batch_that_nobody_measured_is_sized_as_it_is_said(template):
    settings = load_settings(warehouse=template / "warehouse")
    workload = {"model_name": "bert-mini", "precision": "fp32", "input_length": 64}
    request = Request(workload | {"batch_size": 5}, "throughput")
    found = size(settings, request, Demand(requests_per_second=100)).sizing.options
    assert len(found)
    assert (found["batch_size"] == 5).all()


def test_balances_and_providers_are_those_that_are_known(published: Commands):
    request = ("hardware", "--model", "bert-mini")
    for balance, words in (
        ('{"latncy": 1}', "balance: unknown metric 'latncy'; did you mean 'latency'?"),
        ('{"balanced": 1}', "balance: 'balanced' cannot be part of itself"),
        ("{}", "balance: "),
    ):
        assert words in published.refused(*request, BENCHMART_BALANCE=balance)
    assert "--provider: no price in USD of 'nobody' is known" in published.refused(
        *request, "--provider", "nobody"
    )


def test_a_demand_that_nothing_carries_names_what_binds(demand):
    (reason,) = demand({"slo": "latency<=0.01"}, in_flight=8).sizing.unsatisfied.values()
    assert reason.binding == "latency_ms<=0.01 with a probability of 60 %"
    (reason,) = demand({"max_price_per_hour": 0.01}, in_flight=8).sizing.unsatisfied.values()
    assert reason.text.startswith("price an hour<=0.01: no platform; nearest is amd-epyc-genoa-1")


def test_demands_are_refused_in_one_line(published: Commands):
    for flags, words in (
        (["--requests-per-second", 0], "--requests-per-second"),
        (["--in-flight", 4, "--requests-per-second", 1], "one of them"),
    ):
        assert words in published.refused("hardware", "--model", "bert-mini", *flags)
