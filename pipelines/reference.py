"""Pages of reference, made of what the code and the database say of themselves.

python -m pipelines.reference docs        # after `benchmart build`; `make reference`
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import duckdb

from pipelines.cli import cli
from pipelines.published import connect_published, records
from pipelines.settings import load_settings

MADE = "<!-- made by `make reference`: change what it is made of -->"
COLUMNS = """
select relations.table_name as name, table_comment as described, column_name, data_type, comment
from duckdb_columns() as columns
inner join information_schema.tables as relations
    on columns.schema_name = relations.table_schema and columns.table_name = relations.table_name
where schema_name = 'analytics'
order by name, column_index
"""


def commands_page(group: click.Group = cli) -> str:
    """Markdown of every command: what `--help` says."""
    parts = [
        "# Commands",
        MADE,
        "What `benchmart COMMAND --help` says. Exit codes: 0 done, 1 failed,"
        " 2 bad usage or input, 75 another build is running.",
    ]
    for name, command in _commands(group, "benchmart"):
        context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
        parts += [f"## {name}", f"```text\n{command.get_help(context).strip()}\n```"]
    return "\n\n".join(parts) + "\n"


def _commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    for each, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _commands(command, f"{name} {each}")
        else:
            yield f"{name} {each}", command


def tables_page(con: duckdb.DuckDBPyConnection) -> str:
    """Markdown of the data dictionary: tables, views and columns of `analytics`, by their comments."""
    parts = [
        "# Tables",
        MADE,
        "Schema `analytics` of `warehouse/current/benchmart.duckdb`, and a file each in"
        " `warehouse/current/parquet/`. The same words are comments in the database, and in"
        " `warehouse/current/lineage.html` beside what every table is made of.",
    ]
    tables: dict[str, list[dict]] = {}
    for column in records(con, COLUMNS):
        tables.setdefault(column["name"], []).append(column)
    for name, columns in tables.items():
        rows = [
            f"| `{each['column_name']}` | {each['data_type'].lower()} | {_cell(each['comment'])} |"
            for each in columns
        ]
        parts += [
            f"## {name}",
            columns[0]["described"].strip(),
            "\n".join(["| column | type | what it is |", "|---|---|---|", *rows]),
        ]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def classes_page() -> str:
    """Markdown of the public classes and of trees on grids: signatures and docstrings."""
    from models_py.active_learning import ActiveLearningSystem
    from models_py.grid import Column, Grid, predict_grid
    from models_py.hardware_recommender import HardwareRecommender
    from models_py.predict import PerformancePredictor

    parts = [
        "# Python",
        MADE,
        "They work in memory, on frames with the columns of `features.training_features` and"
        " `features.candidate_features`.",
    ]
    for shown in (PerformancePredictor, ActiveLearningSystem, HardwareRecommender):
        parts += [f"## {shown.__name__}", _documented(shown, shown.__name__)]
        parts += [
            _documented(method, f"{shown.__name__}.{name}") for name, method in _methods(shown)
        ]
    parts += ["## Trees on grids"]
    parts += [_documented(shown, shown.__name__) for shown in (predict_grid, Grid, Column)]
    return "\n\n".join(parts) + "\n"


def _methods(shown: type) -> Iterator[tuple[str, Callable]]:
    for name, member in vars(shown).items():
        member = getattr(member, "__func__", member)  # of class methods
        if not name.startswith("_") and inspect.isfunction(member) and member.__doc__:
            yield name, member


def _documented(shown: Callable, name: str) -> str:
    signature = str(inspect.signature(shown)).replace("'", "")
    described = textwrap.indent(inspect.getdoc(shown) or "", "    ")
    return f"```text\n{name}{signature}\n\n{described}\n```"


def main() -> None:
    """Write the pages into a directory."""
    directory = Path(sys.argv[1])
    with connect_published(load_settings().warehouse) as con:
        pages = {"commands": commands_page(), "tables": tables_page(con), "python": classes_page()}
    for name, text in pages.items():
        (directory / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
