"""The public tables, where they are at hand."""

import pytest

from pipelines.console import Reporter
from pipelines.dbt import Dbt
from pipelines.ingest import find_files
from pipelines.published import connect
from pipelines.stages import build_marts, land_files
from tests.support import PROJECT, Commands

SOURCES = {
    "aws_neuron": 220,
    "llm_inference_bench": 4_700,
    "ml_energy": 700,
    "mlperf_inference": 2_000,
    "qualcomm_ai_hub": 4_800,
    "rknn_model_zoo": 340,
    "timm": 30_000,
}


def test_public_tables_are_accounted_for_row_by_row(shared_data, tmp_path, parsed):
    files = find_files([PROJECT / "raw", shared_data])
    dbt = Dbt(tmp_path, parsed)
    landing = land_files(dbt, files, Reporter(quiet=True))
    build_marts(dbt, Reporter(quiet=True))
    with connect(dbt.database, read_only=True) as con:
        unbalanced = con.sql(
            "select file, runs_read, judged.rows from raw.files left join ("
            "   select file, count(*) as rows from intermediate.int_runs__judged group by file"
            " ) as judged using (file) where runs_read != coalesce(judged.rows, 0)"
        ).fetchall()
        accepted = dict(
            con.sql(
                "select source, count(*) from core.runs where source != 'benchmart' group by all"
            ).fetchall()
        )
        gated = con.sql(
            "select source, count(*) from intermediate.int_runs__judged"
            " where rule = 'beats_roofline' group by all"
        ).fetchall()
        unknown = con.sql(
            "select distinct published_hardware from intermediate.int_runs__judged"
            " where not hardware_known and verdict = 'accepted' order by all"
        ).fetchall()
        candidates, exceeding = con.sql(
            "select count(*), count(*) filter (not fits_in_memory) from features.candidate_features"
        ).fetchall()[0]
    assert unbalanced == []
    assert accepted.keys() == SOURCES.keys()
    assert all(accepted[source] >= least for source, least in SOURCES.items())
    assert sum(accepted.values()) >= 42_000
    # what beats the roofline is the one table known for it: specifications and units are right
    assert [source for source, _ in gated] == ["llm_inference_bench"] and 20 <= gated[0][1] <= 60
    # a system of two kinds of accelerators, in two spellings
    assert len(unknown) == 2
    assert candidates > 50_000 and exceeding == 0
    assert len(landing.unrecognised) == 9


@pytest.mark.slow
def test_bundled_and_public_tables_build_together(shared_data, commands: Commands):
    flags = ("--raw", PROJECT / "raw", "--raw", shared_data)
    commands.succeed("build", *flags, timeout=1800)
    quality = commands.query("select * from analytics.data_quality")
    parts = quality[["rows_accepted", "rows_rejected", "rows_duplicate"]].sum(axis=1)
    assert (quality["rows_read"] == parts).all()
    assert quality["rows_accepted"].sum() >= 42_000
    coverage = commands.query(
        "select group_name, coverage from analytics.calibration where metric = 'throughput'"
        " and group_kind = 'comparable_group' and nominal = 0.9 and n > 3000"
    )
    assert len(coverage) >= 3
    assert coverage["coverage"].between(0.87, 0.93).all()
    done = commands.succeed("build", *flags)
    assert "nothing changed" in done.stderr
