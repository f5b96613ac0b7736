"""Questions in SQL to the published build."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import duckdb

from pipelines.errors import InputError
from pipelines.published import connect_published
from pipelines.warehouse import replace_file

BATCH = 10_000
TABLES = """
select
    relations.table_name as "table",
    coalesce(estimated_size::varchar, 'view') as "rows",
    regexp_extract(replace(table_comment, chr(10), ' '), 'One row per[^.]*') as description,
from information_schema.tables as relations
left join duckdb_tables() as sizes
    on relations.table_schema = sizes.schema_name and relations.table_name = sizes.table_name
where table_schema = 'analytics'
order by 1
"""


class Answer:
    """What a query gives. Every method asks it anew, so that rows of any number are never held.

    Parameters
    ----------
    query
        Names without a schema are looked for in `analytics`.

    Raises
    ------
    InputError
        For what DuckDB refuses, in its words: they name the nearest table or column.
    """

    def __init__(self, warehouse: Path, query: str) -> None:
        con = connect_published(warehouse)
        con.execute("set search_path = 'analytics'")
        with _refusing():
            self._rows = con.sql(query)
        if self._rows is None:
            raise InputError("sql: this gives no rows; ask for some, with `select` or `from`")

    def boxed(self, most_rows: int) -> str:
        """A table as wide as the terminal; what does not fit, a row below the other.

        Of many rows of a table the first and the last are shown, of others the first.
        """
        width = shutil.get_terminal_size().columns
        with _refusing(), contextlib.redirect_stdout(io.StringIO()) as shown:
            self._rows.show(max_rows=most_rows, max_width=sys.maxsize)
            box = shown.getvalue().rstrip("\n")
            fits = all(len(line) <= width for line in box.splitlines())
            return box if fits else self._below_each_other(most_rows, width)

    def _below_each_other(self, most_rows: int, width: int) -> str:
        names = self._rows.columns
        longest = max(map(len, names))
        found = _rows(self._rows.limit(most_rows + 1).project("columns(*)::varchar"))
        lines = []
        for number, row in enumerate(found, start=1):
            if number > most_rows:
                lines.append(f"... and more than {most_rows} rows: --rows, --output")
                break
            lines.append(f"{number} ".ljust(min(width, 40), "-"))
            for name, value in zip(names, row, strict=True):
                wrapped = textwrap.wrap(
                    value or "", max(width - longest - 1, 20), break_on_hyphens=False
                ) or [""]
                hanging = "\n" + " " * (longest + 1)
                lines.append(f"{name.ljust(longest)} {hanging.join(wrapped)}".rstrip())
        return "\n".join(lines)

    def write_csv(self, file: TextIO) -> None:
        """All rows, with a header; empty where nothing is known."""
        writer = csv.writer(file, lineterminator="\n")
        with _refusing():
            writer.writerow(self._rows.columns)
            writer.writerows(_rows(self._rows.project("columns(*)::varchar")))

    def write_json(self, file: TextIO) -> None:
        """All rows, a list of objects; null for what is no number.

        Raises
        ------
        InputError
            For columns of one name, of which an object could have one.
        """
        names = self._rows.columns
        if len(set(names)) < len(names):
            raise InputError(f"sql: several columns of one name among {', '.join(names)}; use `as`")
        with _refusing():
            separator = "["
            for (text,) in _rows(self._rows.set_alias("answer").project("to_json(answer)")):
                row = json.loads(text, parse_constant=lambda constant: None)
                file.write(f"{separator}\n  {json.dumps(row)}")
                separator = ","
        file.write("[]\n" if separator == "[" else "\n]\n")

    def save(self, path: Path) -> None:
        """All rows as CSV, JSON or Parquet by the ending of the path, whole or not at all.

        Raises
        ------
        InputError
            For another ending.
        """
        match path.suffix:
            case ".csv" | ".json" as ending:
                write = self.write_csv if ending == ".csv" else self.write_json

                def save(part: Path) -> None:
                    with part.open("w", encoding="utf-8", newline="") as file:
                        write(file)
            case ".parquet":

                def save(part: Path) -> None:
                    with _refusing():
                        self._rows.write_parquet(str(part), compression="zstd")
            case ending:
                raise InputError(
                    f"--output: {ending or path.name!r}: expected .csv, .json or .parquet"
                )
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, save)


def _rows(relation: duckdb.DuckDBPyRelation) -> Iterator[tuple]:
    """Rows as they come: by `iter_rows` all would be held."""
    for batch in relation.to_arrow_reader(BATCH):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        said = str(error).partition("\n\nLINE")[0]
        raise InputError(f"sql: {said}") from None
