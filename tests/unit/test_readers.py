import csv
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import InputError
from pipelines.readers import open_raw
from pipelines.readers.tables import PROBLEM, Raw, Row, table_of
from pipelines.sources import recognise

cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)


@given(st.lists(st.tuples(cells, cells, cells).filter(any), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_csv_rows_come_back_as_they_were_written(tmp_path: Path, rows):
    path = tmp_path / "x.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("a", "b", "c"), *rows])
    (table,) = open_raw(path, "x.csv").tables
    assert table.columns == ["a", "b", "c"]
    assert [tuple(row.payload.values()) for row in table.rows] == rows


def test_csv_survives_a_byte_order_mark_empty_lines_and_ragged_rows(tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text("\ufeff\n a ,,a\n1,2,3, \n\n4,5\n", encoding="utf-8")
    (table,) = open_raw(path, "x.csv").tables
    rows = list(table.rows)
    assert table.columns == ["a", "column_2", "a_3"]
    assert [row.line for row in rows] == [3, 5]
    assert PROBLEM not in rows[0].payload
    assert rows[1].payload[PROBLEM] == "2 fields where the header has 3"


def test_parquet_and_jsonl_say_the_same(tmp_path: Path):
    pq.write_table(pa.table({"a": ["x", None], "n": [1, 2]}), tmp_path / "x.parquet")
    (tmp_path / "x.jsonl").write_text('{"a": "x", "n": 1}\n\n{"a": null, "n": 2}\n')
    one, other = (
        [row.payload for table in open_raw(tmp_path / name, "x").tables for row in table.rows]
        for name in ("x.parquet", "x.jsonl")
    )
    assert one == other == [{"a": "x", "n": "1"}, {"n": "2"}]


def test_rows_that_each_have_a_column_of_their_own_come_in_small_batches(tmp_path: Path):
    path = tmp_path / "wide.jsonl"
    path.write_text("\n".join(f'{{"a{number}": 1}}' for number in range(6_000)))
    (table,) = open_raw(path, "wide.jsonl").tables
    batches = list(table.batches)
    assert sum(batch.num_rows for batch in batches) == 6_000
    assert max(batch.num_rows * batch.num_columns for batch in batches) < 2_100_000


def test_structures_in_parquet_become_json(tmp_path: Path):
    pq.write_table(pa.table({"a": [[1, 2]], "b": [{"c": 1}], "d": [0.1]}), tmp_path / "x.parquet")
    (table,) = open_raw(tmp_path / "x.parquet", "x").tables
    assert [row.payload for row in table.rows] == [{"a": "[1, 2]", "b": '{"c": 1}', "d": "0.1"}]


def test_documents_keep_numbers_as_published(tmp_path: Path):
    (tmp_path / "x.json").write_text('[{"a": 1.10, "b": null, "c": true}]')
    (tmp_path / "x.yaml").write_text("- a: 1.10\n  b: null\n- a: 2024-01-02\n")
    [record] = open_raw(tmp_path / "x.json", "x").tree
    assert record == {"a": "1.10", "b": None, "c": True}
    first, second = open_raw(tmp_path / "x.yaml", "x").tree
    assert (first, first.line) == ({"a": "1.10", "b": "null"}, 1)
    assert (second, second.line) == ({"a": "2024-01-02"}, 3)


def test_markdown_tables_are_read_as_plain_text(tmp_path: Path):
    (tmp_path / "x.md").write_text(
        "# Speed (FPS)\n\nprose\n\n| a | b<br />c&nbsp; |\n| - | - |\n| **1,2** | [x](y) |\n| / |\n"
    )
    (table,) = open_raw(tmp_path / "x.md", "x").tables
    assert (table.name, table.columns) == ("Speed (FPS)", ["a", "b c"])
    assert list(table.rows) == [Row(7, {"a": "1,2", "b c": "x"}), Row(8, {"a": "/", "b c": ""})]


def test_databases_are_read_closed(tmp_path: Path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with duckdb.connect(str(tmp_path / "x.duckdb")) as con:
        con.execute("create table t as select 1.5 as a, null as b, [1] as c")
        con.execute(f"create view v as select * from '{tmp_path}/secret.csv'")
    (table,) = open_raw(tmp_path / "x.duckdb", "x").tables
    assert (table.name, table.columns) == ("t", ["a", "b", "c"])
    assert list(table.rows) == [Row(1, {"a": "1.5", "c": "[1]"})]
    (tmp_path / "other.db").write_bytes(b"SQLite format 3\0")
    assert open_raw(tmp_path / "other.db", "x").tables == ()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.csv", b"", "the file is empty"),
        ("x.csv", b"\n\n", "the file is empty"),
        ("x.csv", b"a,b\n\xff\xfe,1\n", "line"),
        ("x.jsonl", b'{"a": 1}\n{"a"\n', "line 2: not JSON"),
        ("x.jsonl", b"[1]\n", "line 1: expected an object"),
        ("x.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', "line 2: not JSON"),
        ("x.parquet", b"PAR1 not really", "not a Parquet file"),
        ("x.json", b'[{"a": 1}, {"a"', "not JSON"),
        ("x.json", b"[" * 100_000, "not JSON"),
        ("x.yaml", b"a: [1, 2", "not YAML"),
        ("x.yaml", b"? {a: 1}\n: 2\n", "not YAML"),
        ("x.yaml", b"a: &a [1, 1]\nb: [*a, *a]\n", "aliases in YAML are not read"),
        ("x.md", b"\xff\xfe", "x.md"),
        ("x.duckdb", b"DUCK not really", "not a DuckDB file"),
    ],
)
def test_unreadable_files_are_named_with_the_line(tmp_path: Path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        for table in open_raw(tmp_path / name, f"raw/{name}").tables:
            list(table.rows)


def _recognised(file: str, *columns: str) -> list[str] | None:
    found = recognise(Raw(file, (table_of([], columns),)))
    return found and list(found[1])


def test_a_table_is_known_by_its_columns_not_by_its_folder():
    native = ("model_name", "hardware", "batch_size", "throughput")
    assert _recognised("anything/results.csv", *native) == ["benchmart_runs"]
    assert _recognised("x/hardware.csv", "hardware", "memory_gb") == ["benchmart_hardware"]
    assert _recognised("x/9.csv", "Framework", "Num of Hardware") == ["llm_inference_bench"]
    assert _recognised("x/a.csv", "model", "infer_samples_per_sec") == ["timm"]
    assert _recognised("x/a.csv", "Model", "Inst. Type") == ["aws_neuron"]
    assert _recognised("x/readme.csv", "author") is None
    with pytest.raises(
        InputError, match="lacks the required column 'batch_size'; did you mean 'batch_sise'"
    ):
        _recognised("x/runs.csv", "model_name", "hardware", "batch_sise")
