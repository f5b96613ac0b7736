"""Shell completion: of commands and flags by click, of names by the published build."""

from __future__ import annotations

from collections.abc import Callable

import click
from click.shell_completion import get_completion_class

NAMES = {
    "metric": "select metric from core.metric_definitions",
    "model": "select distinct model_name from core.runs",
    "hardware": "select distinct hardware from core.runs",
}
VARIABLE = "_BENCHMART_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


def named(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Completes the last of several names, separated by commas, with those that the build knows."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        earlier, comma, last = incomplete.rpartition(",")
        try:
            found = _names(kind, context.params.get("warehouse"))
        except Exception:  # a shell that completes has nowhere to say what is wrong
            return []
        return [f"{earlier}{comma}{name}" for name in found if name.startswith(last)]

    return complete


def _names(kind: str, warehouse: object) -> list[str]:
    from models_py.objectives import DERIVED, SHORT_NAMES
    from pipelines.published import connect_published
    from pipelines.settings import load_settings

    with connect_published(load_settings(warehouse=warehouse).warehouse) as con:
        found = [name for (name,) in con.sql(NAMES[kind]).fetchall()]
    return sorted({*found, *SHORT_NAMES, *DERIVED} if kind == "metric" else found)


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands, flags and names of metrics, models and devices.

    \b
    eval "$(benchmart completion bash)"         # in ~/.bashrc
    eval "$(benchmart completion zsh)"          # in ~/.zshrc
    benchmart completion fish | source          # in ~/.config/fish/config.fish
    """
    root = context.find_root()
    made = get_completion_class(shell)(root.command, {}, "benchmart", VARIABLE)
    click.echo(made.source())
