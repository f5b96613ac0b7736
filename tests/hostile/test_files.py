"""Files that are damaged, made up or meant to do harm: read, or refused in one line."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from pipelines.errors import InputError
from pipelines.ingest import InputFile, find_files, land
from pipelines.readers import open_raw
from pipelines.sources import RUN_TABLES
from tests.hostile.strategies import hostile_files, seed

QUIET = {"suppress_health_check": list(HealthCheck)}
HEADER = "model_name,hardware,batch_size,throughput"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


def require_survived(folder: Path, suffix: str, content: bytes) -> None:
    """The file is loaded as it is accounted for, or refused by its name."""
    path = folder / f"runs{suffix}"
    path.write_bytes(content)
    with duckdb.connect() as con:
        try:
            landing = land(con, [InputFile(f"raw/{path.name}", path, "digest")])
        except InputError as error:
            assert f"raw/{path.name}" in str(error)
            return
        stated = con.sql("select coalesce(sum(runs_read), 0) from raw.files").fetchall()[0][0]
        loaded = [con.table(f"raw.{table}").count("*").fetchall()[0][0] for table in RUN_TABLES]
        assert stated == sum(loaded)
        assert bool(landing.loaded) + len(landing.warnings) > 0 or suffix == ".md"


@given(hostile_files())
@settings(max_examples=200, **QUIET)
def test_files_are_read_or_refused(folder, file):
    require_survived(folder, *file)


@pytest.mark.slow
@given(hostile_files())
@settings(max_examples=5_000, **QUIET)
def test_many_files_are_read_or_refused(folder, file):
    require_survived(folder, *file)


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cell.csv", f"{HEADER}\na,b,1,{'9' * 10_000_000}\n", "line 2: field larger than"),
        ("quoted.csv", f'{HEADER}\n"{"a" * 10_000_000}",b,1,1\n', "line 2: field larger than"),
        ("open.csv", f'{HEADER}\n"' + "a\n" * 1_000_000, "line 2: field larger than"),
        ("wide.csv", "model_name,hardware," + ",".join(map(str, range(100_000))), "'batch_size'"),
        ("utf16.csv", f"{HEADER}\na,b,1,2\n".encode("utf-16"), "can't decode"),
        ("latin.csv", f"{HEADER}\n\xe9,b,1,2\n".encode("latin-1"), "can't decode"),
        ("deep.jsonl", '{"a":' * 50_000, "line 1: not JSON"),
        ("digits.jsonl", '{"batch_size": ' + "9" * 5_000 + "}", "line 1: not JSON"),
    ],
)
def test_what_is_beyond_measure_is_refused(folder, name, content, said):
    path = written(folder, name, content)
    with pytest.raises(InputError, match=said), duckdb.connect() as con:
        land(con, [InputFile(f"raw/{name}", path, "digest")])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.json", '{"a":' * 50_000),
        ("deep.yaml", "[" * 20_000),
        ("bomb.yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
        ("tags.yaml", 'a: !!python/object/apply:os.system ["touch pwned"]\n'),
        ("quotes.md", "> " * 5_000 + "a\n"),
        ("other.db", b"SQLite format 3\x00" + bytes(4096)),
    ],
)
def test_documents_that_are_no_tables_do_no_harm(folder, name, content, monkeypatch):
    monkeypatch.chdir(folder)
    path = written(folder, name, content)
    with duckdb.connect() as con:
        landing = land(con, [InputFile(f"raw/{name}", path, "digest")])
    assert not landing.loaded
    assert not (folder / "pwned").exists()


def test_texts_in_parquet_that_are_no_unicode_are_refused(folder):
    text = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffb")]
    )
    names = HEADER.split(",")
    path = folder / "text.parquet"
    pq.write_table(pa.table([text, *[pa.array(["1"])] * 3], names=names), path)
    with pytest.raises(InputError, match=r"raw/text\.parquet: row 1: "), duckdb.connect() as con:
        land(con, [InputFile("raw/text.parquet", path, "digest")])


def test_a_hundred_thousand_columns_are_read(folder):
    names = ",".join(f"c{number}" for number in range(100_000))
    path = written(folder, "wide.csv", f"{HEADER},{names}\na,b,1,2{',x' * 100_000}\n")
    with duckdb.connect() as con:
        land(con, [InputFile("raw/wide.csv", path, "digest")])
        (count,) = con.sql("select cardinality(payload) from raw.benchmart_runs").fetchall()[0]
    assert count == 100_004


def test_what_a_database_would_do_is_not_done(folder):
    secret, path = written(folder, "secret.csv", "a\n1\n"), folder / "x.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            "create table runs as select 'm' as model_name, 'h' as hardware, 1 as batch_size"
        )
        con.execute(f"create view leak as select * from read_csv('{secret}')")
        con.execute("create macro length(x) as error('a macro ran')")
        con.execute("create table checked (a int default error('a default ran'))")
    tables = open_raw(path, "raw/x.duckdb").tables
    read = {table.name: [row.payload for row in table.rows] for table in tables}
    runs = [{"model_name": "m", "hardware": "h", "batch_size": "1"}]
    assert read == {"runs": runs, "checked": []}


def test_links_out_of_the_raw_directory_are_not_followed(tmp_path):
    outside = written(tmp_path, "outside.csv", f"{HEADER}\na,b,1,2\n")
    raw = tmp_path / "raw"
    raw.mkdir()
    inside = written(raw, "inside.csv", f"{HEADER}\na,b,1,2\n")
    (raw / "alias.csv").symlink_to(inside.name)
    assert {file.name for file in find_files([raw])} == {"raw/alias.csv", "raw/inside.csv"}
    (raw / "link.csv").symlink_to(outside)
    with pytest.raises(InputError, match=r"raw/link\.csv: a link out of the raw directory"):
        find_files([raw])
    (raw / "link.csv").unlink()
    (raw / "more").symlink_to(".")
    with pytest.raises(InputError, match="raw/more: a link to a directory"):
        find_files([raw])


def test_what_is_no_regular_file_is_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "gone.csv").symlink_to("nowhere")
    (tmp_path / "folder.csv").mkdir()
    written(tmp_path, "bomb.csv.gz", b"\x1f\x8b" + bytes(100))
    written(tmp_path, "bomb.zip", b"PK\x03\x04" + bytes(100))
    with pytest.raises(InputError, match=r"no file .* found"):
        find_files([tmp_path])
    written(tmp_path, "good.csv", seed(".csv"))
    assert [file.path.name for file in find_files([tmp_path])] == ["good.csv"]
