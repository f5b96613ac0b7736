"""Scoring in chunks: what is written does not depend on how options are cut."""

from __future__ import annotations

import pickle

import duckdb
import pandas as pd
import pyarrow.compute as pc
import pytest

from models_py.predict import PerformancePredictor
from models_py.shortlist import Tactic
from pipelines import chunks, score
from pipelines.compare import terms_of
from pipelines.console import Reporter
from pipelines.engine import engine_of
from pipelines.processes import processes
from pipelines.published import connect, metric_directions
from pipelines.settings import Settings
from pipelines.warehouse import DATABASE

TABLES = {
    "predictions": ["metric", "config_id"],
    "hardware_options": ["metric", "config_id"],
    "pareto_front": ["config_id"],
}


@pytest.fixture
def con(published, tmp_path):
    """A copy of the published tables."""
    path = tmp_path / DATABASE
    path.write_bytes((published.current / DATABASE).read_bytes())
    with connect(path) as con:
        yield con


@pytest.fixture(scope="module")
def predictor(published) -> PerformancePredictor:
    return PerformancePredictor.load(published.warehouse)


def _asked(con, predictor) -> score.Asked:
    settings, directions = Settings(), metric_directions(con)
    return score.Asked(terms_of(con, predictor, directions, settings), {}, directions, settings)


def _score(con, asked: score.Asked) -> None:
    with engine_of(asked.settings) as engine:
        score.score_options(con, asked, engine, Reporter(quiet=True))


def _chunk(con) -> chunks.Chunk:
    return next(chunks.chunks(con, chunks.ends_of_chunks(con)))


def _scored(con, predictor) -> dict[str, pd.DataFrame]:
    _score(con, _asked(con, predictor))
    return {
        table: con.table(f"ml.{table}").order(", ".join(keys)).df()
        for table, keys in TABLES.items()
    }


def test_chunks_hold_every_option_once_and_workloads_whole(con, monkeypatch):
    monkeypatch.setattr(chunks, "OPTIONS", 100)
    parts = [
        pd.concat([each.measured.to_pandas(), each.candidates.to_pandas()])
        for each in chunks.chunks(con, chunks.ends_of_chunks(con))
    ]
    assert len(parts) > 5
    every = pd.concat(parts)
    expected = con.sql(
        "select config_id from features.measured_configurations"
        " union all select config_id from features.candidate_features"
    ).df()
    assert sorted(every["config_id"]) == sorted(expected["config_id"])
    assert sum(part["workload_id"].nunique() for part in parts) == every["workload_id"].nunique()


def test_tables_do_not_depend_on_how_options_are_cut(con, predictor, monkeypatch):
    whole = _scored(con, predictor)
    monkeypatch.setattr(chunks, "OPTIONS", 200)
    cut = _scored(con, predictor)
    for table, expected in whole.items():
        assert len(expected) > 100
        pd.testing.assert_frame_equal(cut[table], expected, rtol=1e-9, atol=1e-12)


def test_processes_write_what_threads_do(con, predictor, monkeypatch):
    """Also from where `limit_memory` has room for two, which it has not by default."""
    monkeypatch.setattr(chunks, "OPTIONS", 200)
    begun = []
    monkeypatch.setattr(score, "processes", lambda count: begun.append(count) or processes(count))
    expected = _scored(con, predictor)
    assert begun == []
    monkeypatch.setenv("BENCHMART_LIMIT_MEMORY", "3GB")
    found = _scored(con, predictor)
    assert begun == [2]
    for table, rows in expected.items():
        pd.testing.assert_frame_equal(found[table], rows, check_exact=True)


def test_a_build_writes_what_scoring_its_tables_gives(con, predictor):
    keys = ", ".join(TABLES["predictions"])
    published = con.table("ml.predictions").order(keys).df()
    found = _scored(con, predictor)["predictions"]
    pd.testing.assert_frame_equal(
        found.drop(columns="model"), published.drop(columns="model"), rtol=1e-9
    )


def test_a_metric_that_is_not_known_of_some_workloads_leaves_them_out(con, predictor, monkeypatch):
    monkeypatch.setattr(chunks, "OPTIONS", 150)
    model = predictor.models["memory_mb"]
    group = con.sql(
        "select any_value(comparable_group) from features.candidate_features"
    ).fetchall()[0][0]
    monkeypatch.setattr(model, "groups", {name: 99 for name in model.groups if name != group})
    options = _scored(con, predictor)["hardware_options"]
    others = set(options.loc[options["metric"] == "memory_mb", "config_id"])
    every = set(options.loc[options["metric"] == "throughput", "config_id"])
    assert others and others < every


def test_a_chunk_may_hold_nothing_that_a_metric_applies_to(con, predictor, monkeypatch):
    whole = _chunk(con)
    group = whole.candidates["comparable_group"][0].as_py()
    here = pc.field("comparable_group") == group
    measured, candidates = whole.measured.filter(here), whole.candidates.filter(here)
    chunk = chunks.Chunk(measured, candidates, whole.earlier.slice(0, 0))
    model = predictor.models["memory_mb"]
    monkeypatch.setattr(model, "groups", {name: 9 for name in model.groups if name != group})
    scored = score.score(chunk, _asked(con, predictor))
    metrics = set(scored.weighed_options["metric"].to_pylist())
    assert "memory_mb" not in metrics and "throughput" in metrics


@pytest.mark.parametrize(
    "unlikely", ["replace ('unheard of' as comparable_group)", "replace (false as fits_in_memory)"]
)
def test_a_chunk_without_a_likely_option_has_none_to_write(con, predictor, unlikely):
    candidates = con.sql(f"select * {unlikely} from features.candidate_features").to_arrow_table()
    whole = _chunk(con)
    chunk = chunks.Chunk(whole.measured.slice(0, 0), candidates, whole.earlier.slice(0, 0))
    scored = score.score(chunk, _asked(con, predictor))
    assert scored.hardware_options is None and scored.weighed_options is None
    assert pickle.loads(pickle.dumps(scored)).hardware_options is None


def test_candidates_are_selected_by_what_tables_say(con, predictor, frames):
    """As the class does in memory, to what sums of 4-byte floats in another order allow."""
    asked = _asked(con, predictor)
    tactic = Tactic({"information_gain": 0.7, "hardware": 0.3}, 0.5)
    _score(con, asked)
    tactics = dict.fromkeys(asked.terms.metrics, tactic)
    score.select_candidates(con, asked, tactics, Reporter(quiet=True))
    found = con.sql(
        "select * from ml.scored_candidates where metric = 'throughput' order by config_id"
    ).df()
    measured = con.sql("from features.measured_configurations").df()
    system = score.learning_system(predictor, frames[1], measured, asked.directions, asked.settings)
    depth = max(asked.settings.budget, asked.settings.plan_depth)
    expected = system.score("throughput", depth).sort_values("config_id", ignore_index=True)
    assert found["config_id"].tolist() == expected["config_id"].tolist()
    for name in ("expected_information_gain", "diversity", "uncertainty"):
        assert found[name].to_numpy() == pytest.approx(expected[name].to_numpy(), rel=1e-3)


def test_pieces_of_candidates_say_where_they_lie_among_all(con, predictor, monkeypatch):
    _score(con, _asked(con, predictor))
    monkeypatch.setattr(score, "PIECE", 2_048)  # no less than DuckDB works on at a time
    con.execute("insert into ml.weighed_options select w.* from ml.weighed_options as w, range(60)")
    candidates = score._candidates(con, "throughput")
    pieces = list(candidates.pieces())
    assert len(pieces) > 1
    assert pd.concat(pieces).index.tolist() == list(range(candidates.total))


def test_what_fails_in_a_chunk_fails_the_build(con, predictor, monkeypatch):
    monkeypatch.setattr(score, "Options", None)
    with pytest.raises(TypeError):
        _scored(con, predictor)


def test_chunks_are_sent_whole(con):
    chunk = _chunk(con)
    again = pickle.loads(pickle.dumps(chunk))
    for one, other in zip(vars(chunk).values(), vars(again).values(), strict=True):
        assert one.equals(other)


def test_no_table_of_scoring_alone_is_left(published):
    with duckdb.connect(str(published.current / DATABASE), read_only=True) as con:
        names = {name for (name,) in con.sql("select table_name from duckdb_tables()").fetchall()}
    assert "weighed_options" not in names and "predictions" in names
