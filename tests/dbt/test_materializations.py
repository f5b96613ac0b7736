"""How relations are replaced, in a project of one model."""

import shutil
from pathlib import Path

import pytest

from pipelines.dbt import DBT_PROJECT, Dbt
from pipelines.errors import BenchmartError
from pipelines.published import connect

PROJECT = """\
name: benchmart
config-version: 2
profile: benchmart
models:
  +persist_docs: {relation: true, columns: true}
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
    monkeypatch.delenv("DBT_PARTIAL_PARSE_FILE_PATH", raising=False)
    monkeypatch.setattr("pipelines.dbt.DBT_PROJECT", tmp_path)
    (tmp_path / "dbt_project.yml").write_text(PROJECT)
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
