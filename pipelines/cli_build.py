"""`benchmart build`, `record`, `rollback`, `status`, `doctor`: what is published, and how it came."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from pipelines.cli_options import (
    engine_option,
    json_option,
    objective_option,
    raw_option,
    scheduler_option,
    warehouse_option,
)
from pipelines.terminal import printable


@click.command()
@raw_option
@warehouse_option
@objective_option
@click.option("--budget", type=int, help="How many tests the printed plan holds.")
@click.option("--full-refresh", is_flag=True, help="Start from the raw files alone.")
@click.option("--accept-shrinkage", is_flag=True, help="Publish though measurements were lost.")
@click.option("--limit-memory", metavar="SIZE", help="What it may hold in memory [default: 2GB].")
@engine_option
@scheduler_option
@json_option
def build(
    raw,
    warehouse,
    objective,
    budget,
    full_refresh,
    accept_shrinkage,
    limit_memory,
    engine,
    scheduler,
    as_json,
) -> None:
    """Build the warehouse from raw files and publish it, all or nothing.

    \b
    benchmart build                                  from the bundled raw/
    benchmart build --raw results --raw public/timm  and what was there before
    benchmart build --objective latency --full-refresh
    """
    from pipelines.build import build as run_build
    from pipelines.console import Reporter
    from pipelines.overview import overview, print_overview
    from pipelines.settings import load_settings

    settings = load_settings(
        raw=raw or None,
        warehouse=warehouse,
        objective=objective,
        budget=budget,
        limit_memory=limit_memory,
        engine=engine,
        scheduler=scheduler,
    )
    run_build(settings, full_refresh, Reporter(), accept_shrinkage=accept_shrinkage)
    found = overview(settings.warehouse, settings.objective, settings.budget)
    click.echo(json.dumps(found, indent=2)) if as_json else print_overview(found)


@click.command()
@click.argument("results", type=click.Path(path_type=Path, dir_okay=False))
@warehouse_option
@objective_option
@click.option(
    "--plan",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The plan that the tests are of, where they are new to the build (--focus).",
)
@json_option
def record(results, warehouse, objective, plan, as_json) -> None:
    """Learn from measured RESULTS, and say what changed.

    A table in the native format. Rows may name their configuration by `config_id`, as in plans, and
    have metrics and, where runs failed, `status`.

    \b
    benchmart record results.csv
    benchmart record results.csv --plan plan.json    tests of a plan that was made with --focus
    """
    from pipelines.console import Reporter
    from pipelines.record import record as record_results
    from pipelines.recorded import in_words
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse, objective=objective)
    found = record_results(settings, results, plan, Reporter())
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for line in in_words(found) if found else [f"{results}: recorded before, nothing changed"]:
        click.echo(printable(line))


@click.command()
@raw_option
@warehouse_option
@json_option
def doctor(raw, warehouse, as_json) -> None:
    """Check the installation, the settings and the warehouse, and say what to do.

    Exit code 1 where something is broken.

    \b
    benchmart doctor
    benchmart doctor --json
    """
    from pipelines.doctor import examine
    from pipelines.settings import load_settings

    findings = examine(load_settings(raw=raw or None, warehouse=warehouse))
    if as_json:
        click.echo(json.dumps([vars(each) for each in findings], indent=2))
    else:
        for each in findings:
            click.echo(printable(f"{each.state:8}{each.check}: {each.found}"))
            if each.advice:
                click.echo(printable(f"        -> {each.advice}"))
    if any(each.state == "problem" for each in findings):
        sys.exit(1)


@click.command()
@click.argument("build_id", required=False)
@warehouse_option
def rollback(build_id, warehouse) -> None:
    """Publish an earlier build again: BUILD_ID, or the one before.

    \b
    benchmart rollback
    benchmart rollback 20261126T021504.512031
    """
    from pipelines.console import Reporter
    from pipelines.rollback import rollback as publish_again
    from pipelines.settings import load_settings

    name = publish_again(load_settings(warehouse=warehouse), build_id, Reporter())
    click.echo(f"published again: build {name}; builds of the inputs that came after are skipped")


@click.command()
@warehouse_option
@json_option
def status(warehouse, as_json) -> None:
    """Say what is published, what deserves a look, and what to do next.

    \b
    benchmart status
    benchmart status --json
    """
    from pipelines.overview import overview, print_overview
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    found = overview(settings.warehouse, settings.objective, settings.budget)
    click.echo(json.dumps(found, indent=2)) if as_json else print_overview(found)
