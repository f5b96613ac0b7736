"""`benchmart rollback`: an earlier build serves again, in the warehouse and in MLflow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from pipelines.console import Reporter
from pipelines.errors import BenchmartError
from pipelines.published import why_damaged
from pipelines.settings import Settings
from pipelines.tracking import Tracker
from pipelines.warehouse import Warehouse


def rollback(settings: Settings, build_id: str | None, reporter: Reporter) -> str:
    """Publish an earlier build again, by default the one before; its name.

    Builds that are newer stay; one of the same inputs is not built again.

    Raises
    ------
    InputError
        Where there is none, or none of that name.
    BuildLocked
        When a build is running.
    """
    warehouse = Warehouse(settings.warehouse)
    if not warehouse.builds.is_dir():  # taking the lock would make it
        warehouse.require_published()
    with warehouse.locked():
        build = warehouse.earlier(build_id)
        if broken := why_damaged(build):
            raise BenchmartError(f"{broken}; name another build")
        warehouse.roll_back_to(build)
        for name in recorded_since(warehouse):
            reporter.say(
                f"warning: {warehouse.recorded / name} was recorded since: the next build with news"
                " learns it again; move it away to leave it out"
            )
        serving = warehouse.manifest().get("serving", {})
    with warned_of(reporter):
        point_aliases(Tracker(settings.mlruns), {}, serving)
    return build.name


def recorded_since(warehouse: Warehouse) -> list[str]:
    """Names of recorded files that the published build does not know."""
    known = warehouse.manifest().get("files", {})
    files = sorted(path.name for path in warehouse.recorded.glob("[!.]*"))
    return [name for name in files if f"{warehouse.recorded.name}/{name}" not in known]


@contextlib.contextmanager
def warned_of(reporter: Reporter) -> Iterator[None]:
    """Aliases that cannot be set are a warning: what is published does not depend on them."""
    try:
        yield
    except BenchmartError as error:
        reporter.say(f"warning: the aliases in MLflow are as they were: {error}")


def point_aliases(
    tracker: Tracker, challengers: Mapping[str, str], serving: Mapping[str, str]
) -> None:
    """Let the registry name what serves.

    Parameters
    ----------
    challengers, serving
        Versions by metric.
    """
    for alias, versions in (("challenger", challengers), ("champion", serving)):
        for metric, version in versions.items():
            tracker.point(alias, metric, version)
