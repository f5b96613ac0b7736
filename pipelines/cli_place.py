"""`benchmart place`: which workloads run on which nodes."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.cli_options import (
    json_option,
    output_option,
    provider_option,
    region_option,
    utilisation_option,
    warehouse_option,
    write,
)
from pipelines.terminal import printable


@click.command()
@warehouse_option
@click.option(
    "--demand",
    required=True,
    type=click.Path(path_type=Path),
    help="Table of workloads: model_name, requests_per_second or in_flight, and what else you know.",
)
@click.option(
    "--inventory",
    required=True,
    type=click.Path(path_type=Path),
    help="Table of nodes: hardware, device_count, nodes, price_per_hour.",
)
@click.option(
    "--objective",
    type=click.Choice(["cost", "headroom"]),
    default="cost",
    show_default=True,
    help="The least cost, or as much room for growth as the nodes have.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Probability with which a replica carries what is planned [default: 0.6].",
)
@utilisation_option
@click.option(
    "--memory-utilisation",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.9,
    show_default=True,
    help="Share of the memory that workloads which share devices may fill.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=10.0,
    show_default=True,
    help="Time to search; each what-if gets half of it at the most.",
)
@click.option(
    "--what-if/--no-what-if",
    default=True,
    show_default=True,
    help="Say what one node more or fewer would change, of each kind that is used up.",
)
@provider_option
@region_option
@output_option("Where to write the plan as JSON.")
@json_option
def place(warehouse, demand, inventory, provider, region, output, as_json, **search) -> None:
    """Assign workloads to nodes, several to the same devices where memory allows.

    \b
    benchmart place --demand demand.csv --inventory inventory.csv
    benchmart place --demand demand.csv --inventory inventory.csv --objective headroom
    """
    from pipelines import placement_words
    from pipelines.place import place_file
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse, provider=provider, region=region)
    plan = place_file(settings, demand, inventory, **search)
    if as_json or output:
        write(json.dumps(placement_words.as_json(plan), indent=2) + "\n", output)
        return
    for line in placement_words.in_words(plan):
        click.echo(printable(line))
