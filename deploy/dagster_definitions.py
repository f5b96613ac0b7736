"""benchmart in Dagster: its dbt models as assets, made by one build, every night.

    pip install -e '.[dagster]'
    dagster dev -f deploy/dagster_definitions.py        # the graph, the schedule, runs by hand
    python deploy/dagster_definitions.py                # one run; exits as `benchmart build` does

Settings are those of the command: `benchmart.toml` of the working directory and `BENCHMART_*`.
"""

import json
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
from dagster_dbt import build_dbt_asset_specs

from pipelines.build import build
from pipelines.console import Reporter
from pipelines.dbt import Dbt
from pipelines.errors import BenchmartError
from pipelines.overview import overview
from pipelines.published import connect_published
from pipelines.settings import load_settings

SETTINGS = load_settings()


def manifest() -> dict:
    """The dbt manifest of the project as it is."""
    with TemporaryDirectory() as folder:
        written = Dbt(Path(folder), Path(folder)).write_manifest()
        return json.loads(written.read_text(encoding="utf-8"))


SPECS = build_dbt_asset_specs(manifest=manifest())
ORDER = TopologicalSorter({spec.key: {dep.asset_key for dep in spec.deps} for spec in SPECS})
KEYS = [key for key in ORDER.static_order() if key in {spec.key for spec in SPECS}]


@dg.multi_asset(name="build", specs=SPECS)
def warehouse(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Build and publish, all or nothing; what is published becomes the assets' metadata."""
    try:
        build(SETTINGS, full_refresh=False, reporter=Reporter())
    except BenchmartError as error:
        raise dg.Failure(
            str(error), metadata={"exit_code": error.exit_code}, allow_retries=False
        ) from error
    with connect_published(SETTINGS.warehouse) as con:
        counts = dict(
            con.sql(
                "select unnest(map_entries(row_counts), recursive := true)"
                " from (from analytics.builds order by build_id desc limit 1)"
            ).fetchall()
        )
    for key in KEYS:
        rows = counts.get(".".join(key.path[-2:]))
        yield dg.MaterializeResult(
            asset_key=key, metadata={} if rows is None else {"dagster/row_count": rows}
        )
    found = overview(SETTINGS.warehouse, SETTINGS.objective, SETTINGS.budget)
    context.log.info(f"published: {found['build_id']}, {found['raw_rows']} rows")


nightly = dg.define_asset_job("nightly", selection=[warehouse])
definitions = dg.Definitions(
    assets=[warehouse],
    jobs=[nightly],
    schedules=[dg.ScheduleDefinition(job=nightly, cron_schedule="15 2 * * *")],
    executor=dg.in_process_executor,
)


def run_once() -> int:
    """One run in this process; its exit code is that of `benchmart build`."""
    done = definitions.resolve_job_def("nightly").execute_in_process(raise_on_error=False)
    if done.success:
        return 0
    codes = [
        event.step_failure_data.user_failure_data.metadata["exit_code"].value
        for event in done.get_step_failure_events()
        if event.step_failure_data.user_failure_data
    ]
    return codes[0] if codes else BenchmartError.exit_code


if __name__ == "__main__":
    sys.exit(run_once())
