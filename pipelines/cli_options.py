"""Options that commands share, and how they write."""

from __future__ import annotations

from pathlib import Path

import click

warehouse_option = click.option(
    "--warehouse",
    type=click.Path(path_type=Path, file_okay=False),
    help="Warehouse directory [default: warehouse/, or BENCHMART_WAREHOUSE].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def write(text: str, output: Path | None) -> None:
    """Write whole or not at all."""
    if output is None:
        click.echo(text, nl=False)
        return
    from pipelines.warehouse import replace_file

    output.parent.mkdir(parents=True, exist_ok=True)
    replace_file(output, lambda part: part.write_text(text, encoding="utf-8"))
