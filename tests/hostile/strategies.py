"""Files and rows that nobody wants to be sent."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

RECORDS = [
    {"model_name": "bert", "hardware": "h100", "batch_size": "1", "throughput": "10.5"},
    {"model_name": "gpt", "hardware": "a100", "batch_size": "8", "throughput": "3"},
]
SUFFIXES = (".csv", ".jsonl", ".json", ".yaml", ".md", ".parquet", ".duckdb")
TEXTS = (
    "'; drop table raw.files; --",
    '" or 1=1',
    "../../etc/passwd",
    "C:\\con",
    "\x1b[31mred\x1b]0;title\x07",
    "<script>alert(1)</script>",
    "=cmd|' /c calc'!A0",
    "{{ env_var('HOME') }}",
    "{% raw %}",
    "${HOME}",
    "%s%n",
    "a\x00b",
    "\u202egnp.exe",
    "\ufeff",
    "e\u0301\u0301\u0301",
    "\U0001f9ea",
    "a\nb",
    "null",
    " ",
    "x" * 100_000,
)
NUMBERS = (
    *("nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1", "0", "-0.0", "1e308", "5e-324"),
    *(
        "1e-400",
        "0x10",
        "1_000",
        "1,000",
        "1.2.3",
        "\uff11\uff12",
        "\u0663",
        "1e",
        "+",
        "9" * 400,
        "true",
        "1 ms",
    ),
)
DATES = (
    *("0000-00-00", "0000-01-01", "-0001-01-01", "9999-12-31T25:61:61", "292278994-08-17", "now"),
    *("2024-02-30", "1e9", "infinity", "20240101", "2024-01-01T00:00:00+99:99"),
)
COLUMNS = ("model_name", "hardware", "batch_size", "precision", "framework", "throughput")
COLUMNS += ("latency_ms", "memory_mb", "status", "measured_at", "options", "cost_minutes")


@cache
def seed(suffix: str) -> bytes:
    """A good file of a kind."""
    names = list(RECORDS[0])
    rows = [names, *(list(record.values()) for record in RECORDS)]
    if suffix == ".csv":
        return "\n".join(map(",".join, rows)).encode()
    if suffix == ".jsonl":
        return "\n".join(map(json.dumps, RECORDS)).encode()
    if suffix in (".json", ".yaml"):
        return json.dumps(RECORDS).encode()
    if suffix == ".md":
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join([lines[0], "|-|-|-|-|", *lines[1:]]).encode()
    if suffix == ".parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(RECORDS), sink)
        return sink.getvalue()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "seed.duckdb"
        with duckdb.connect(str(path)) as con:
            con.register("records", pa.Table.from_pylist(RECORDS))
            con.execute("create table runs as select * from records")
        return path.read_bytes()


@st.composite
def damaged_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A kind of file, and content that was one of it before some bytes came, went or changed."""
    suffix = draw(st.sampled_from(SUFFIXES))
    content = bytearray(seed(suffix))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(("change", "insert", "remove", "cut"))):
            case "change" if at < len(content):
                content[at] = draw(st.integers(0, 255))
            case "insert":
                content[at:at] = draw(st.binary(min_size=1, max_size=40))
            case "remove":
                del content[at : at + draw(st.sampled_from((1, 10, 1000)))]
            case "cut":
                del content[at:]
    return suffix, bytes(content)


def made_up_files() -> st.SearchStrategy[tuple[str, bytes]]:
    """A kind of file, and content that has nothing to do with it."""
    pieces = st.sampled_from(
        [*TEXTS[:-1], "\n", ",", "|", "- ", ": ", "[", "{", "&a ", "*a", "!!python "]
    )
    texts = st.lists(pieces | st.text(max_size=8), max_size=30).map("".join)
    encoded = texts.map(lambda text: text.encode("utf-8", "surrogatepass"))
    others = st.sampled_from(("utf-16", "latin-1")).flatmap(
        lambda code: texts.map(lambda text: text.encode(code, "replace"))
    )
    return st.tuples(st.sampled_from(SUFFIXES), encoded | others | st.binary(max_size=200))


def hostile_files() -> st.SearchStrategy[tuple[str, bytes]]:
    """Either."""
    return damaged_files() | made_up_files()


@st.composite
def hostile_rows(draw: st.DrawFn) -> dict[str, str]:
    """A run of which one cell, or several, is not what it should be."""
    row = dict.fromkeys(COLUMNS, "") | draw(st.sampled_from(RECORDS))
    cells = st.sampled_from((*TEXTS, *NUMBERS, *DATES)) | st.text(
        st.characters(codec="utf-8"), max_size=12
    )
    for name in draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4, unique=True)):
        row[name] = draw(cells)
    return row
