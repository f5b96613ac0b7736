"""`benchmart hardware`: which platform a workload should run on."""

from __future__ import annotations

import json

import click

from pipelines.cli_completion import named
from pipelines.cli_options import (
    available_option,
    json_option,
    output_option,
    provider_option,
    region_option,
    utilisation_option,
    warehouse_option,
    write,
)
from pipelines.terminal import printable

COUNT = click.IntRange(1)
POSITIVE = click.FloatRange(0, min_open=True)
DEMAND = click.FloatRange(0, 1e9, min_open=True)


@click.command()
@warehouse_option
@click.option(
    "--model",
    "model_name",
    required=True,
    shell_complete=named("model"),
    help="Name of the model.",
)
@click.option(
    "--model-type", help="text_generation, vision, ...: of a model that nothing is known of."
)
@click.option("--task", help="inference or training.")
@click.option("--precision", help="fp16, int8, ...")
@click.option("--batch-size", type=COUNT)
@click.option("--concurrency", type=COUNT, help="Batches in flight.")
@click.option("--input-length", type=COUNT, help="Tokens.")
@click.option("--output-length", type=click.IntRange(0), help="Tokens.")
@click.option("--image-size", type=COUNT, help="Pixels.")
@click.option(
    "--metric",
    shell_complete=named("metric"),
    help="Metric, cost, energy_per_unit or balanced [default: the objective].",
)
@click.option("--slo", help='What has to be kept, as "ttft_ms<=200,itl_ms<=50".')
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Probability with which all of it is kept [default: 0.9; with a demand 0.6].",
)
@available_option
@click.option("--max-devices", type=COUNT, help="Devices used together.")
@click.option("--max-cost-per-hour", type=POSITIVE, help="Price of the platform.")
@click.option("--max-power", type=POSITIVE, help="Rated power of all its devices in watts.")
@provider_option
@region_option
@click.option("--requests-per-second", type=DEMAND, help="Demand: arrivals to be carried.")
@click.option("--in-flight", type=DEMAND, help="Demand: requests served at the same time.")
@utilisation_option
@output_option("Where to write the answer as JSON.")
@json_option
def hardware(
    warehouse,
    metric,
    slo,
    confidence,
    available,
    max_devices,
    max_cost_per_hour,
    max_power,
    provider,
    region,
    requests_per_second,
    in_flight,
    utilisation,
    output,
    as_json,
    **workload,
) -> None:
    """Rank the platforms for a workload, measured or not, with odds.

    With a demand: how many replicas of each platform carry it, at which batch, and what that costs.

    What is not said of the workload may be anything: every known workload that fits is answered. A
    request that nothing satisfies is answered with what stands in its way, and what comes nearest.

    \b
    benchmart hardware --model bert-mini --batch-size 8 --metric latency
    benchmart hardware --model bert-mini --slo "latency<=50" --max-cost-per-hour 0.10
    benchmart hardware --model bert-mini --requests-per-second 50 --utilisation 0.8
    """
    from pipelines import hardware as ranking
    from pipelines import sizing
    from pipelines.settings import load_settings

    settings = load_settings(
        warehouse=warehouse, objective=metric, provider=provider, region=region
    )
    request = ranking.Request(
        {name: value for name, value in workload.items() if value is not None},
        settings.objective,
        slo,
        None if available is None else tuple(name.strip() for name in available.split(",")),
        confidence,
        max_cost_per_hour,
        max_power,
        max_devices,
    )
    if requests_per_second is None and in_flight is None:
        answer, said = ranking.recommend(settings, request), ranking
    elif requests_per_second is not None and in_flight is not None:
        raise click.UsageError("--requests-per-second and --in-flight: one of them")
    elif metric is not None:
        raise click.UsageError("--metric: a demand is sized by its cost, not by a metric")
    else:
        demand = sizing.Demand(requests_per_second, in_flight, utilisation)
        answer, said = sizing.size(settings, request, demand), sizing
    if as_json or output:
        write(json.dumps(said.as_json(answer), indent=2) + "\n", output)
        return
    for line in said.in_words(answer):
        click.echo(printable(line))
