"""`benchmart fetch` and `measure`: where measurements come from."""

from __future__ import annotations

from pathlib import Path

import click


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
@click.option("--suite", default="quick", show_default=True, help="Which grid of cases to run.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file to append to; cases that are in it are skipped [default: measured/SUITE.csv].",
)
@click.option("--time-limit", type=float, help="Stop starting cases after this many seconds.")
def measure(suite, output, time_limit) -> None:
    """Time real models on this machine, in the native format.

    \b
    benchmart measure --suite quick --output measured/quick.csv
    """
    from pipelines.measure import run_suite

    path = output or Path("measured") / f"{suite}.csv"
    summary = run_suite(
        suite, path, time_limit_s=time_limit, on_event=lambda text: click.echo(text, err=True)
    )
    click.echo(f"{path}: {summary}")
