"""`benchmart models`: what was fitted, and which of it serves."""

from __future__ import annotations

import click

from pipelines.cli_completion import named
from pipelines.cli_options import json_option, warehouse_option


@click.group()
def models() -> None:
    """Compare fitted models, and choose which one serves.

    \b
    benchmart models compare --metric throughput
    benchmart models promote throughput 3
    benchmart models rollback throughput
    benchmart models release throughput
    """


@models.command()
@warehouse_option
@click.option("--metric", shell_complete=named("metric"), help="Only models of this metric.")
@json_option
def compare(warehouse, metric, as_json) -> None:
    """Models of this and earlier builds, with held-out figures."""
    from pipelines.models import compare as compare_models
    from pipelines.models import print_comparison
    from pipelines.settings import load_settings

    found = compare_models(load_settings(warehouse=warehouse).warehouse, metric)
    click.echo(found.to_json(orient="records", indent=2)) if as_json else print_comparison(found)


@models.command()
@warehouse_option
@click.argument("metric", shell_complete=named("metric"))
@click.argument("version")
def promote(warehouse, metric, version) -> None:
    """Let VERSION of the model of METRIC serve from the next build on, until it is released."""
    from pipelines.models import promote as promote_model
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    promote_model(settings.warehouse, settings.mlruns, metric, version)
    _say_pinned(metric, version)


@models.command()
@warehouse_option
@click.argument("metric", shell_complete=named("metric"))
def rollback(warehouse, metric) -> None:
    """Let the model of METRIC that served before the present one serve again, until released."""
    from pipelines.models import rollback as roll_back
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    version = roll_back(settings.warehouse, settings.mlruns, metric)
    _say_pinned(metric, version)


@models.command()
@warehouse_option
@click.argument("metric", shell_complete=named("metric"))
def release(warehouse, metric) -> None:
    """Let builds choose the model of METRIC again."""
    from pipelines.models import release as release_model
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    release_model(settings.warehouse, settings.mlruns, metric)
    click.echo(f"{metric}: the next build chooses again")


@models.command()
def relocate() -> None:
    """Make MLflow find its artifacts after mlruns was moved."""
    from pipelines.models import relocate as relocate_artifacts
    from pipelines.settings import load_settings

    mlruns = load_settings().mlruns
    click.echo(f"{mlruns}: {relocate_artifacts(mlruns)} addresses changed")


def _say_pinned(metric: str, version: str) -> None:
    click.echo(
        f"{metric}: version {version} is champion, and serves from the next `benchmart build`"
    )
    click.echo(f"until `benchmart models release {metric}`")
