"""Options that commands share, and how they write."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from pipelines.cli_completion import named
from pipelines.terminal import printable

warehouse_option = click.option(
    "--warehouse",
    type=click.Path(path_type=Path, file_okay=False),
    help="Warehouse directory [default: warehouse/, or BENCHMART_WAREHOUSE].",
)
raw_option = click.option(
    "--raw",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Directory of raw files; may be given several times [default: the bundled raw/].",
)
objective_option = click.option(
    "--objective",
    shell_complete=named("metric"),
    help="What to optimise: throughput, latency, memory or a metric.",
)
available_option = click.option(
    "--available",
    shell_complete=named("hardware"),
    help="Devices that there are today, separated by commas.",
)
provider_option = click.option("--provider", help="Only prices of this provider.")
region_option = click.option("--region", help="Only prices of this region.")
utilisation_option = click.option(
    "--utilisation",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of what a replica can do that is planned for.",
)
engine_option = click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    help="Work on this machine, or on a Dask cluster [default: local, dask with a scheduler].",
)
scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="Of the Dask cluster to work on, tcp://host:8786."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def output_option(text: str) -> Callable:
    """`--output`, with what is written there."""
    return click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help=text)


def write(text: str, output: Path | None) -> None:
    """Write whole or not at all."""
    if output is None:
        if sys.stdout.isatty():  # a pipe gets what a file would; a terminal obeys nothing
            text = "\n".join(map(printable, text.split("\n")))
        click.echo(text, nl=False)
        return
    from pipelines.warehouse import replace_file

    output.parent.mkdir(parents=True, exist_ok=True)
    replace_file(output, lambda part: part.write_text(text, encoding="utf-8"))
