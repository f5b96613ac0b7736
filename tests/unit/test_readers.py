import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import InputError
from pipelines.readers import RAGGED, open_raw
from pipelines.sources import recognise

cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)


@given(st.lists(st.tuples(cells, cells, cells).filter(any), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_csv_rows_come_back_as_they_were_written(tmp_path: Path, rows):
    path = tmp_path / "x.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("a", "b", "c"), *rows])
    raw = open_raw(path, "x.csv")
    assert raw.columns == ["a", "b", "c"]
    assert [tuple(row.payload.values()) for row in raw.rows] == rows


def test_csv_survives_a_byte_order_mark_empty_lines_and_ragged_rows(tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text("\ufeff\n a ,,a\n1,2,3\n\n4,5\n", encoding="utf-8")
    raw = open_raw(path, "x.csv")
    rows = list(raw.rows)
    assert raw.columns == ["a", "column_2", "a_3"]
    assert [row.line for row in rows] == [3, 5]
    assert RAGGED not in rows[0].payload
    assert rows[1].payload[RAGGED] == "2 fields where the header has 3"


def test_parquet_and_jsonl_say_the_same(tmp_path: Path):
    pq.write_table(pa.table({"a": ["x", None], "n": [1, 2]}), tmp_path / "x.parquet")
    (tmp_path / "x.jsonl").write_text('{"a": "x", "n": 1}\n\n{"a": null, "n": 2}\n')
    one = [row.payload for row in open_raw(tmp_path / "x.parquet", "x").rows]
    other = [row.payload for row in open_raw(tmp_path / "x.jsonl", "x").rows]
    assert one == other == [{"a": "x", "n": "1"}, {"a": None, "n": "2"}]


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
    ],
)
def test_unreadable_files_are_named_with_the_line(tmp_path: Path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        list(open_raw(tmp_path / name, f"raw/{name}").rows)


def test_a_table_is_known_by_its_columns_not_by_its_folder():
    native = ["model_name", "hardware", "batch_size", "throughput"]
    assert recognise("anything/results.csv", native) == "benchmart_runs"
    assert recognise("x/hardware.csv", ["hardware", "memory_gb"]) == "benchmart_hardware"
    assert recognise("x/Fig_9.csv", ["Framework", "Num of Hardware"]) == "llm_inference_bench"
    assert recognise("x/readme.csv", ["author"]) is None
    with pytest.raises(
        InputError, match="lacks the required column 'batch_size'; did you mean 'batch_sise'"
    ):
        recognise("x/runs.csv", ["model_name", "hardware", "batch_sise"])
