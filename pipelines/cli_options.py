"""Options that commands share."""

from __future__ import annotations

from pathlib import Path

import click

warehouse_option = click.option(
    "--warehouse",
    type=click.Path(path_type=Path, file_okay=False),
    help="Warehouse directory [default: warehouse/, or BENCHMART_WAREHOUSE].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
