"""The `benchmart` command. Heavy modules are imported by the commands that need them."""

from __future__ import annotations

import os
import sys
import traceback

import click

from pipelines.cli_build import build, doctor, record, rollback, status
from pipelines.cli_completion import completion
from pipelines.cli_hardware import hardware
from pipelines.cli_measurements import dispatch, fetch, measure, worker
from pipelines.cli_models import models
from pipelines.cli_place import place
from pipelines.cli_plan import backtest, integrate, predict
from pipelines.cli_sql import report, sql
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
    benchmart sql                                              tables to ask, and how
    benchmart report                                           the page of the build
    benchmart doctor                                           what is wrong here, and what to do
    benchmart rollback                                         the build before serves again
    benchmart fetch timm                                       a public source to build from
    benchmart measure --plan plan.json                         run its tests on this machine
    benchmart models compare                                   how good the fitted models are
    benchmart backtest                                         what selection would have saved you
    """


for command in (
    *(build, record, rollback, status, doctor, sql, report),
    *(integrate, predict, backtest, hardware, place),
    *(fetch, measure, dispatch, worker, models, completion),
):
    cli.add_command(command)


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
    except BrokenPipeError:
        # whoever read the output has seen enough; nothing is left to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _fail(str(error), 1)
    except Exception as error:
        import duckdb

        if isinstance(error, duckdb.Error):
            said = str(error).partition("\n")[0]
            if isinstance(error, duckdb.CatalogException):
                said += "; is the build of an older version? Then run `benchmart build`"
            _fail(f"database: {said}", 1)
        traceback.print_exc()
        _fail(f"a fault of benchmart's own, {type(error).__name__}: {error}; please report it", 1)


def _fail(message: str, exit_code: int) -> None:
    """One line; what the terminal would obey is not passed on."""
    line = printable(" ".join(message.split()))
    click.echo(f"benchmart: {line}", err=True)
    sys.exit(exit_code)
