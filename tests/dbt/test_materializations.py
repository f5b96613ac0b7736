"""How relations are replaced, in a project of one model."""

import shutil
from pathlib import Path

import pytest
import yaml

from pipelines.dbt import DBT_PROJECT, PARSED, Dbt
from pipelines.errors import BenchmartError
from pipelines.published import connect

PROJECT = """\
name: benchmart
config-version: 2
profile: benchmart
models:
  +persist_docs: {relation: true, columns: true}
seeds:
  +full_refresh: %s
"""
DOCUMENTED = """\
models:
  - name: answers
    description: What is known.
    config: {materialized: %s}
    columns:
      - name: %s
        description: It's 100 %% "certain".
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the materializations of the real one."""
    monkeypatch.setattr("pipelines.dbt.DBT_PROJECT", tmp_path)
    real = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text())
    anew = real["seeds"]["benchmart"].get("+full_refresh", False)
    (tmp_path / "dbt_project.yml").write_text(PROJECT % str(anew).lower())
    for path in ("profiles.yml", "macros/materializations.sql"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(DBT_PROJECT / path, tmp_path / path)
    (tmp_path / "models").mkdir()
    return tmp_path


def build(project: Path, answer: int, kind: str, column: str = "answer") -> list[tuple]:
    """Build the model anew; the type of its relation, its comments and its rows."""
    (project / "models" / "answers.sql").write_text(f"select {answer} as answer")
    (project / "models" / "answers.yml").write_text(DOCUMENTED % (kind, column))
    Dbt(project, project / "target").build(["answers"])
    return found(project)


def found(project: Path) -> list[tuple]:
    with connect(project / "benchmart.duckdb", read_only=True) as con:
        return con.sql(
            "select table_type, table_comment, column_comment, answer"
            " from information_schema.tables"
            " join (select table_name, comment as column_comment from duckdb_columns())"
            " using (table_name), answers where table_name = 'answers'"
        ).fetchall()


def test_relations_are_replaced_whatever_they_were(project: Path):
    told = ("What is known.", 'It\'s 100 % "certain".')
    assert build(project, 1, "view") == [("VIEW", *told, 1)]
    assert build(project, 2, "view") == [("VIEW", *told, 2)]
    assert build(project, 3, "table") == [("BASE TABLE", *told, 3)]
    assert build(project, 4, "table") == [("BASE TABLE", *told, 4)]
    assert build(project, 5, "view") == [("VIEW", *told, 5)]


def test_a_documented_column_that_is_not_there_fails_and_changes_nothing(project: Path):
    before = build(project, 1, "table")
    with pytest.raises(BenchmartError, match=r"answers: .*anwser"):
        build(project, 2, "table", column="anwser")
    assert found(project) == before


CONTRACTED = """\
models:
  - name: answers
    config: {materialized: table, contract: {enforced: true}}
    columns: [{name: answer, data_type: integer, constraints: [{type: not_null}]}]
"""


def test_a_table_that_a_contract_does_not_allow_fails_and_changes_nothing(project: Path):
    before = build(project, 1, "table")
    (project / "models" / "answers.yml").write_text(CONTRACTED)
    (project / "models" / "answers.sql").write_text("select cast(null as integer) as answer")
    with pytest.raises(BenchmartError, match=r"answers: .*NOT NULL constraint failed.*answer"):
        Dbt(project, project / "target").build(["answers"])
    assert found(project) == before


def test_what_one_warehouse_parsed_is_reused_by_others(project: Path):
    def build_at(place: str) -> Path:
        Dbt(project, project / place).build(["answers"])
        return project / place / PARSED

    def same(parsed: Path) -> bool:
        return parsed.stat().st_mtime_ns == shared.stat().st_mtime_ns

    build(project, 1, "table")
    shared = project / "target" / PARSED
    first = shared.stat().st_mtime_ns
    assert same(build_at("another")) and shared.stat().st_mtime_ns == first
    (project / "models" / "answers.sql").write_text("select 2 as answer")
    assert same(build_at("changed")) and shared.stat().st_mtime_ns > first
    assert found(project)[0][-1] == 2
    shared.write_bytes(shared.read_bytes()[:1000])
    parsed = build_at("of_a_torn_file")
    assert same(parsed) and parsed.stat().st_size > 1000


PARTS = """\
{{ config(materialized="table_in_parts") }}
select id, getvariable('last_workload') as part
from (values ('f'), ('z'), ('a'), ('d'), ('c')) as ids (id)
where {{ in_this_part('id') }}
order by id
"""


@pytest.mark.parametrize(
    ("ends", "parts"),
    [
        ("select unnest(['f', 'c']) as workload_id", ["c", "c", "f", "f", None]),
        ("select 'c' as workload_id where false", 5 * [None]),
    ],
)
def test_a_table_may_be_filled_in_parts(project: Path, ends: str, parts: list):
    (project / "models" / "int_parts.sql").write_text(ends)
    (project / "models" / "answers.sql").write_text(PARTS)
    for _ in range(2):
        Dbt(project, project / "target").build(["+answers"])
        with connect(project / "benchmart.duckdb", read_only=True) as con:
            rows = con.sql("from answers").fetchall()
        assert rows == list(zip("acdfz", parts, strict=True))


def test_candidates_are_the_same_in_any_parts(published, tmp_path: Path, parsed: Path):
    dbt = Dbt(tmp_path, parsed)
    shutil.copy(published.current / "benchmart.duckdb", dbt.database)
    dbt.database.chmod(0o600)
    every = "from features.candidate_features"
    with connect(dbt.database) as con:
        expected = con.sql(f"{every} order by config_id").fetchall()
        con.sql("drop table features.candidate_features")
    dbt.invoke("run", "--select", "candidate_features", "--vars", "{workloads_of_a_part: 7}")
    with connect(dbt.database) as con:
        workloads = [name for (name,) in con.sql(f"select workload_id {every}").fetchall()]
        assert con.sql(f"{every} order by config_id").fetchall() == expected
    assert workloads == sorted(workloads) and len(set(workloads)) > 14


def test_a_seed_may_have_other_columns_than_the_build_before(project: Path):
    for seed in ("name\nfirst\n", "id,name\n1,second\n"):
        (project / "seeds").mkdir(exist_ok=True)
        (project / "seeds" / "facts.csv").write_text(seed)
        Dbt(project, project / "target").build(["facts"])
    with connect(project / "benchmart.duckdb", read_only=True) as con:
        assert con.sql("select id, name from facts").fetchall() == [(1, "second")]


def test_how_many_nodes_are_done_is_told(project: Path):
    for name in ("one", "two"):
        (project / "models" / f"{name}.sql").write_text("select 1 as answer")
    told = []
    Dbt(project, project / "target").build(["one", "two"], lambda *done: told.append(done))
    assert told == [(1, 2), (2, 2)]
