"""The `benchmart` command. Heavy modules are imported by the commands that need them."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

import click

from pipelines.cli_hardware import hardware
from pipelines.cli_models import models
from pipelines.cli_options import (
    engine_option,
    json_option,
    output_option,
    scheduler_option,
    warehouse_option,
    write,
)
from pipelines.cli_place import place
from pipelines.errors import BenchmartError
from pipelines.terminal import printable

os.environ.setdefault("DO_NOT_TRACK", "true")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="benchmart")
def cli() -> None:
    """Which benchmark to run next, and which hardware to use.

    \b
    benchmart build                                            build from raw/
    benchmart integrate --budget 5 --output plan.json          the next five tests
    benchmart predict --input configs.csv --output out.csv     quantiles for your configurations
    benchmart hardware --model M --batch-size 8                what to run it on
    benchmart place --demand D --inventory I                   which workloads on which nodes
    benchmart record results.csv                               learn from what you measured
    benchmart status                                           what is published
    benchmart rollback                                         the build before serves again
    benchmart fetch timm                                       a public source to build from
    benchmart models compare                                   how good the fitted models are
    benchmart backtest                                         what selection would have saved you
    """


@cli.command()
@click.option(
    "--raw",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Directory of raw files; may be given several times [default: the bundled raw/].",
)
@warehouse_option
@click.option("--objective", help="What to optimise: throughput, latency, memory or a metric.")
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
    """Build the warehouse from raw files and publish it, all or nothing."""
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


@cli.command()
@click.argument("results", type=click.Path(path_type=Path, dir_okay=False))
@warehouse_option
@click.option("--objective", help="What to optimise: throughput, latency, memory or a metric.")
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


@cli.command()
@warehouse_option
@click.option("--budget", type=int, help="How many tests to plan, at most.")
@click.option("--metric", help="Objective or metric to optimise for; several, separated by commas.")
@click.option("--available", help="Devices that tests can run on today, separated by commas.")
@click.option("--max-minutes", type=click.FloatRange(0, min_open=True), help="What they may take.")
@click.option("--max-cost", type=click.FloatRange(0, min_open=True), help="What they may cost.")
@click.option(
    "--max-per-hardware",
    multiple=True,
    metavar="DEVICE=N",
    help="At most N tests on a device; may be given several times.",
)
@click.option(
    "--minimum-distance",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Least diversity of a test when it is chosen, 0 to 1.",
)
@click.option("--focus", metavar="KIND=NAME", help="First tests of hardware=NAME or model=NAME.")
@output_option("Where to write the plan; standard output by default.")
def integrate(
    warehouse,
    budget,
    metric,
    available,
    max_minutes,
    max_cost,
    max_per_hardware,
    minimum_distance,
    focus,
    output,
) -> None:
    """Plan the next tests together with the recommended hardware (JSON)."""
    from pipelines.integrate import Today
    from pipelines.integrate import integrate as plan_tests
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse, budget=budget, objective=metric)
    names = None if available is None else tuple(name.strip() for name in available.split(","))
    caps = dict(map(_cap, max_per_hardware))
    today = Today(names, max_minutes, max_cost, caps, minimum_distance, focus)
    if today == Today():
        plan = plan_tests(settings.warehouse, settings.objective, settings.budget)
    else:
        from pipelines.today import integrate_today

        plan = integrate_today(settings, settings.budget, today)
    write(json.dumps(plan, indent=2) + "\n", output)


@cli.command()
@warehouse_option
@click.option(
    "--input",
    "source",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV file of configurations: model_name, hardware, batch_size and what else you know.",
)
@output_option("CSV file to write; standard output by default.")
@click.option("--metric", multiple=True, help="Objective or metric; may be given several times.")
def predict(warehouse, source, output, metric) -> None:
    """Predict metrics of configurations: rows in, rows out, in the same order."""
    from pipelines.predict_file import predict_file
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    table = predict_file(settings.warehouse, source, metric or (settings.objective,))
    write(table.to_csv(index=False), output)


@cli.command()
@warehouse_option
@json_option
def status(warehouse, as_json) -> None:
    """Say what is published, and what to do next."""
    from pipelines.overview import overview, print_overview
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    found = overview(settings.warehouse, settings.objective, settings.budget)
    click.echo(json.dumps(found, indent=2)) if as_json else print_overview(found)


@cli.command()
@click.argument("build_id", required=False)
@warehouse_option
def rollback(build_id, warehouse) -> None:
    """Publish an earlier build again: BUILD_ID, or the one before."""
    from pipelines.console import Reporter
    from pipelines.rollback import rollback as publish_again
    from pipelines.settings import load_settings

    name = publish_again(load_settings(warehouse=warehouse), build_id, Reporter())
    click.echo(f"published again: build {name}; builds of the inputs that came after are skipped")


@cli.command()
@warehouse_option
@click.option("--metric", help="Objective or metric to replay [default: the objective].")
@click.option(
    "--policy",
    multiple=True,
    help="accuracy, mostly-accuracy, balanced, mostly-decisions or decisions; may be given several"
    " times [default: balanced].",
)
@click.option("--tune", is_flag=True, help="Replay all strategies that a build chooses between.")
@click.option(
    "--seeds", type=click.IntRange(2), default=5, show_default=True, help="Replays of each."
)
@engine_option
@scheduler_option
@json_option
def backtest(warehouse, metric, policy, tune, seeds, engine, scheduler, as_json) -> None:
    """Replay selection on your own measurements: tests saved against random, error and regret."""
    from models_py.strategies import BALANCED, DECISION_SHARES
    from pipelines.backtest import backtest as run_backtest
    from pipelines.backtest import in_words
    from pipelines.console import Reporter
    from pipelines.settings import load_settings

    settings = load_settings(
        warehouse=warehouse,
        objective=metric,
        engine=engine,
        scheduler=scheduler,
    )
    policies = (*policy, *(DECISION_SHARES if tune else ())) or (BALANCED,)
    found = run_backtest(settings, settings.objective, policies, seeds, Reporter())
    if as_json:
        click.echo(found.savings.to_json(orient="records", indent=2))
        return
    for line in in_words(found):
        click.echo(printable(line))
    click.echo(f"drawn: {found.picture}")
    click.echo("the next build publishes the curves as analytics.learning_curve")
    if tune:
        click.echo("and takes them into account when it chooses a strategy: analytics.strategies")


@cli.command()
@click.argument("source", required=False)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory to keep the files in [default: public/SOURCE].",
)
@click.option("--base-url", help="A mirror that has the files under their names.")
def fetch(source, output, base_url) -> None:
    """Download a public source at its pinned commit; without SOURCE, list what there is."""
    from pipelines.console import Reporter
    from pipelines.fetch import fetch as download
    from pipelines.fetch import public_source, public_sources

    if source is None:
        for name in public_sources():
            found = public_source(name)
            click.echo(f"{name}: {len(found.files)} files, licence {found.licence}")
        return
    wanted = public_source(source)
    directory = output or Path("public") / source
    came = download(wanted, directory, base_url, Reporter())
    there = len(wanted.files) - came
    click.echo(
        f"{directory}: {came} files downloaded, {there} were there; licence {wanted.licence}"
    )
    click.echo(f"next: benchmart build --raw {directory}")


@cli.command()
@click.option("--suite", default="quick", show_default=True, help="Which grid of cases to run.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file to append to; cases that are in it are skipped [default: measured/SUITE.csv].",
)
@click.option("--time-limit", type=float, help="Stop starting cases after this many seconds.")
def measure(suite, output, time_limit) -> None:
    """Time real models on this machine, in the native format."""
    from pipelines.measure import run_suite

    path = output or Path("measured") / f"{suite}.csv"
    summary = run_suite(
        suite, path, time_limit_s=time_limit, on_event=lambda text: click.echo(text, err=True)
    )
    click.echo(f"{path}: {summary}")


cli.add_command(hardware)
cli.add_command(models)
cli.add_command(place)


def _cap(text: str) -> tuple[str, int]:
    name, _, count = text.rpartition("=")
    if not name or not count.isdecimal():
        raise click.BadParameter(f"--max-per-hardware: expected DEVICE=N, got {text!r}")
    return name, int(count)


def main() -> None:
    """Entry point: errors become one line and an exit code."""
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except BenchmartError as error:
        _fail(str(error), error.exit_code)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; the published build is untouched", 1)
    except OSError as error:
        _fail(str(error), 1)
    except Exception as error:
        import duckdb

        if isinstance(error, duckdb.Error):
            _fail(f"database: {str(error).partition(chr(10))[0]}", 1)
        traceback.print_exc()
        _fail(f"a fault of benchmart's own, {type(error).__name__}: {error}; please report it", 1)


def _fail(message: str, exit_code: int) -> None:
    """One line; what the terminal would obey is not passed on."""
    line = printable(" ".join(message.split()))
    click.echo(f"benchmart: {line}", err=True)
    sys.exit(exit_code)
