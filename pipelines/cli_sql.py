"""`benchmart sql` and `report`: what a build found, for people."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipelines.cli_options import json_option, objective_option, output_option, warehouse_option
from pipelines.errors import InputError
from pipelines.terminal import printable


@click.command()
@click.argument("query", required=False)
@click.option(
    "--file",
    "source",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="A file that has the query, - for standard input; see examples/.",
)
@warehouse_option
@click.option("--rows", type=click.IntRange(1), default=40, show_default=True, help="Rows to show.")
@output_option("Where to write all rows, as CSV, JSON or Parquet by the ending of the name.")
@json_option
def sql(query, source, warehouse, rows, output, as_json) -> None:
    """Ask the published tables; without QUERY, list them.

    Nothing of the build is changed. A terminal gets a table, a pipe all rows as CSV. Names without a
    schema are looked for in `analytics`.

    \b
    benchmart sql "from next_tests order by rank limit 5"
    benchmart sql "select configuration, p50, unit from predictions where metric = 'latency_ms'"
    benchmart sql --file examples/hardware_under_a_limit.sql
    benchmart sql "describe predictions"
    """
    from pipelines.query import TABLES, Answer
    from pipelines.settings import load_settings

    if query is not None and source is not None:
        raise InputError("--file: the query is given already; leave out one of the two")
    if source is not None:
        query = _read(source)
    if query is None:
        query = TABLES
    if not query.strip():
        raise InputError("sql: the query is empty; leave it out to list the tables")
    answer = Answer(load_settings(warehouse=warehouse).warehouse, query)
    if output is not None:
        if as_json and output.suffix != ".json":
            raise InputError(f"--json: {output} would be something else; end its name with .json")
        answer.save(output)
    elif as_json:
        answer.write_json(sys.stdout)
    elif sys.stdout.isatty():
        click.echo("\n".join(map(printable, answer.boxed(rows).split("\n"))))
    else:
        answer.write_csv(sys.stdout)


@click.command()
@warehouse_option
@objective_option
@output_option("Write the page there, anew, rather than say where it is.")
def report(warehouse, objective, output) -> None:
    """Say where the page of the published build is, or write it elsewhere or for another objective.

    It is one file without links to a network: open it in a browser, or send it.

    \b
    benchmart report
    benchmart report --objective latency --output latency.html
    """
    from pipelines.published import published_build
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse, objective=objective)
    build = published_build(settings.warehouse)
    if output is None:
        click.echo(_page_of(build, objective))
        return
    from pipelines.report import write_report_of

    write_report_of(build, settings.objective, output)
    click.echo(output)


def _page_of(build: Path, objective: str | None) -> Path:
    from pipelines.warehouse import REPORT

    if objective is not None:
        raise InputError("--objective: needs --output, the file to write that page to")
    page = build / REPORT
    if not page.is_file():
        raise InputError(f"{build.name} was built without a page: benchmart report --output FILE")
    return page


def _read(source: Path) -> str:
    if str(source) == "-":
        return sys.stdin.read()
    try:
        return source.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: not UTF-8 text at byte {error.start}") from None
