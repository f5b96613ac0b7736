"""`benchmart fetch`, `measure`, `dispatch` and `worker`: where measurements come from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from pipelines.terminal import printable

SECONDS = click.FloatRange(0, 10**6, min_open=True)
timeout_option = click.option(
    "--timeout",
    type=SECONDS,
    default=180.0,
    show_default=True,
    help="Seconds that a case may take in one process.",
)


def _own_models(context: click.Context, option: click.Option, path: Path | None) -> dict:
    """Models that a file describes, by name; none without one."""
    from pipelines.measure.own_models import read_models

    return read_models(path) if path else {}


def _say(text: str) -> None:
    click.echo(printable(text), err=True)


models_option = click.option(
    "--models",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_own_models,
    help="TOML file that describes models of your own, see docs/measuring.md.",
)


@click.command()
@click.argument("source", required=False)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory to keep the files in [default: public/SOURCE].",
)
@click.option("--base-url", help="A mirror that has the files under their names.")
def fetch(source, output, base_url) -> None:
    """Download a public source at its pinned commit; without SOURCE, list what there is.

    \b
    benchmart fetch
    benchmart fetch timm
    """
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


@click.command()
@click.option(
    "--suite",
    help="Which grid of cases to run: quick, contention or accelerator [default: quick].",
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Run the tests of this plan that this machine can.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file to append to; cases that are in it are skipped [default: measured/SUITE.csv, or"
    " the plan's name].",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    multiple=True,
    help="Thread counts of the quick suite; may be given several times [default: 1 and 2].",
)
@click.option("--time-limit", type=SECONDS, help="Stop starting cases after this many seconds.")
@models_option
@timeout_option
def measure(suite, plan, output, threads, time_limit, models, timeout) -> None:
    """Time real models on this machine, in the native format.

    Every case runs in three processes, one after another; its row has medians and the interval in which
    those of another run will lie. What was stopped goes on where it was.

    \b
    benchmart measure --suite quick --output measured/quick.csv
    benchmart measure --plan plan.json --output results.csv && benchmart record results.csv
    benchmart measure --models models.toml                     the suite, of your own models
    """
    from pipelines.errors import InputError
    from pipelines.measure.architectures import ARCHITECTURES
    from pipelines.measure.planned import Here, planned
    from pipelines.measure.runner import accelerator_here, run_cases
    from pipelines.measure.suite import ON_ACCELERATOR, cases_of

    if suite and plan:
        raise InputError("--suite and --plan: leave out one")
    if threads and plan:
        raise InputError("--threads: a plan says itself on what its tests are to run")
    suite = suite or "quick"
    find_accelerator = partial(accelerator_here, _say)
    if plan:
        here = Here(models=ARCHITECTURES | models)
        cases, others = planned(plan, here, find_accelerator)
    else:
        accelerator = find_accelerator() if suite == ON_ACCELERATOR else None
        cases, others = cases_of(suite, list(models.values()), accelerator, threads), []
    for other in others:
        _say(f"not here: {other}")
    path = output or Path("measured") / f"{plan.stem if plan else suite}.csv"
    summary = run_cases(
        cases,
        path,
        time_limit_s=time_limit,
        timeout_s=timeout,
        on_event=_say,
        facts=plan is None,  # a plan is of models and devices that are known
    )
    elsewhere = f", {len(others)} for other machines" if others else ""
    click.echo(f"{path}: {summary}{elsewhere}")


@click.command()
@click.option(
    "--plan",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Whose tests to measure.",
)
@click.option("--scheduler", required=True, metavar="ADDRESS", help="Of the cluster's scheduler.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file to append to; tests that are in it are skipped [default: measured/PLAN.csv].",
)
@timeout_option
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds to wait for a worker that announces the hardware of a test.",
)
def dispatch(plan, scheduler, output, timeout, patience) -> None:
    """Have the tests of a plan measured by workers of a Dask cluster, each on the hardware it names.

    A test that is lost with its worker goes to another one, and no test runs twice at once.

    \b
    dask scheduler                                             on one machine
    benchmart worker --scheduler tcp://host:8786               on each that measures
    benchmart dispatch --plan plan.json --scheduler tcp://host:8786 --output results.csv
    """
    from pipelines.dispatch import dispatch as run

    path = output or Path("measured") / f"{plan.stem}.csv"
    summary = run(plan, path, scheduler, timeout, patience, _say)
    click.echo(f"{path}: {summary}")


@click.command()
@click.option("--scheduler", required=True, metavar="ADDRESS", help="Of the cluster's scheduler.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    multiple=True,
    help="Thread counts to announce; may be given several times [default: all that there are].",
)
@models_option
def worker(scheduler, threads, models) -> None:
    """Measure on this machine for a Dask cluster, a test at a time, until its scheduler is gone.

    It announces what this machine is, as `benchmart measure` would call it.

    \b
    benchmart worker --scheduler tcp://host:8786
    benchmart worker --scheduler tcp://host:8786 --threads 1 --threads 4
    """
    from pipelines.measure.architectures import ARCHITECTURES
    from pipelines.measure.remote import work

    work(scheduler, threads, ARCHITECTURES | models, _say)
