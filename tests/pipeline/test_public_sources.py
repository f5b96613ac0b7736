"""The public tables, where they are at hand."""

import pytest

from pipelines.build import build_marts
from pipelines.console import Reporter
from pipelines.dbt import Dbt
from pipelines.ingest import find_files
from pipelines.published import connect
from tests.support import PROJECT, Commands


def test_public_tables_are_accounted_for_row_by_row(shared_data, tmp_path):
    files = find_files([shared_data / "llm_inference_bench", shared_data / "timm"])
    dbt = Dbt(tmp_path, tmp_path / "dbt")
    build_marts(dbt, files, Reporter(quiet=True))
    with connect(dbt.database, read_only=True) as con:
        read = con.execute("select sum(runs_read) from raw.files").fetchall()[0][0]
        verdicts = dict(
            con.execute(
                "select source || ' ' || verdict, count(*)"
                " from intermediate.int_runs__judged group by all"
            ).fetchall()
        )
        gated = con.execute(
            "select count(*) from intermediate.int_runs__judged where rule = 'beats_roofline'"
        ).fetchall()[0][0]
        candidates, exceeding = con.execute(
            "select count(*), count(*) filter (not fits_in_memory) from features.candidate_features"
        ).fetchall()[0]
    assert read >= 34_000
    assert sum(verdicts.values()) == read
    assert verdicts["llm_inference_bench accepted"] > 4_700
    assert verdicts["timm accepted"] > 30_000
    assert 20 <= gated <= 60
    assert candidates > 10_000 and exceeding == 0


@pytest.mark.slow
def test_bundled_and_public_tables_build_together(shared_data, commands: Commands):
    raw = [PROJECT / "raw", shared_data / "llm_inference_bench", shared_data / "timm"]
    flags = [part for path in raw for part in ("--raw", path)]
    commands.succeed("build", *flags)
    coverage = commands.query(
        "select group_name, coverage from analytics.calibration where metric = 'throughput'"
        " and group_kind = 'comparable_group' and nominal = 0.9 and n > 3000"
    )
    assert len(coverage) >= 2
    assert coverage["coverage"].between(0.87, 0.93).all()
    done = commands.succeed("build", *flags)
    assert "nothing changed" in done.stderr
