"""`benchmart rollback`: an earlier build serves again, in the warehouse and in MLflow."""

from __future__ import annotations

from collections.abc import Mapping

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
    if not warehouse.builds.is_dir():
        warehouse.require_published()
    with warehouse.locked():
        build = warehouse.earlier(build_id)
        if broken := why_damaged(build):
            raise BenchmartError(f"{broken}; name another build")
        warehouse.roll_back_to(build)
        serving = warehouse.manifest().get("serving", {})
    try:
        tracker = Tracker(settings.mlruns)
    except BenchmartError as error:
        reporter.say(f"warning: the aliases in MLflow are as they were: {error}")
    else:
        point_aliases(tracker, {}, serving, reporter)
    return build.name


def point_aliases(
    tracker: Tracker,
    challengers: Mapping[str, str],
    serving: Mapping[str, str],
    reporter: Reporter,
) -> None:
    """Let the registry name what serves; what is published does not depend on it.

    Parameters
    ----------
    challengers, serving
        Versions by metric.
    """
    try:
        for alias, versions in (("challenger", challengers), ("champion", serving)):
            for metric, version in versions.items():
                tracker.point(alias, metric, version)
    except BenchmartError as error:
        reporter.say(f"warning: the aliases in MLflow are as they were: {error}")
