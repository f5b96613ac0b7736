"""What happens to a source file between two builds: nothing crashes, no number changes in silence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import ingest
from pipelines.dbt import Dbt
from pipelines.errors import InputError
from pipelines.ingest import Landing, find_files, land
from pipelines.published import connect
from tests.dbt.published_tables import (
    AWS_LATENCY,
    CONVNEXT,
    INDUS,
    LLM,
    ML_ENERGY,
    MLPERF,
    NATIVE,
    RKNN,
    TIMM_4090,
    VENDOR,
    as_yaml,
    write_tables,
)


def _renamed(key: str, name: str, change: Callable[[float], float] = float) -> str:
    """The ML.ENERGY run with one key spelt otherwise."""
    run = {(name if k == key else k): v for k, v in ML_ENERGY.items()}
    run[name] = change(run[name])
    return json.dumps(run)


def _as_mapping(document: dict) -> dict:
    """Lists become mappings: models by name, devices by name."""
    models = {}
    for model in document["models"]:
        devices = model["performance_metrics"]
        named = {d["reference_device_info"]["name"]: d for d in devices}
        models[model["name"]] = {"performance_metrics": named}
    return {"models": models}


def _as_list(document: dict) -> dict:
    return {"models": [document["models"]]}


def _in_milliseconds() -> dict:
    """A later release of the same results, with units in the keys."""
    text = json.dumps(CONVNEXT).replace("inference_time", "inference_time_milliseconds")
    text = text.replace("5645.0", "5.645").replace("memory_range", "memory_range_mb")
    return json.loads(text.replace("139264", "0.139264").replace("2454832", "2.454832"))


# copies that state the same numbers, each in a way of its own; of two files the first one counts
SAME = {
    "zz/duplicated/All_results.csv": LLM,
    "zz/unknown_column/All_results.csv": LLM.replace("avg_power", "mood,avg_power").replace(
        ",1308.077637,", ",1308.077637,good,"
    ),
    "zz/unknown_column/benchmark-infer-amp-nchw-pt291-cu128-4090.csv": TIMM_4090.replace(
        "param_count\n", "param_count,mood\n"
    ).replace("0.37\n", "0.37,good\n"),
    "zz/llm_text_generation/chat/copy/seconds.json": _renamed("Avg TPOT (s)", "Avg TPOT (s)"),
    "zz/llm_text_generation/chat/copy/milliseconds.json": _renamed(
        "Avg TPOT (s)", "Avg TPOT [ms]", lambda s: 1000 * s
    ),
    "zz/llm_text_generation/chat/copy/list.json": json.dumps([ML_ENERGY]),
    "zz/as_mapping/convnext_tiny/perf.yaml": as_yaml(_as_mapping(CONVNEXT)),
    "zz/units_in_keys/convnext_tiny/perf.yml": as_yaml(_in_milliseconds()),
    "zz/as_list/indus_1b_quantized/perf.yaml": as_yaml(_as_list(INDUS)),
    "zz/renamed/other name.json": json.dumps(MLPERF),
    "zz/renamed/vendor.csv": VENDOR,
    "zz/renamed/inf2/whatever.csv": AWS_LATENCY,
    "zz/renamed/benchmarks.md": RKNN,
}
# copies of which nothing can be believed
UNREADABLE = {
    "zz/llm_text_generation/chat/copy/weeks.json": _renamed("Avg TPOT (s)", "Avg TPOT (weeks)"),
    "zz/renamed/timm.csv": TIMM_4090,
    "zz/renamed/energy.csv": "model,throughput,response_length,latency,energy\nm,29.8,271.9,9.1,2143\n",
    "zz/no_list/convnext_tiny/perf.yaml": as_yaml(
        {"models": [CONVNEXT["models"][0] | {"performance_metrics": ["a", "b"]}, "c"]}
    ),
}


def _write(raw: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _build(root: Path, parsed: Path) -> Landing:
    dbt = Dbt(root, parsed)
    with connect(dbt.database) as con:
        landing = land(con, find_files([root / "raw"]))
    dbt.build(["+int_runs__judged"])
    return landing


def _accepted(root: Path, source: str = "%") -> list[tuple]:
    """Every accepted number, whichever file states it."""
    with connect(root / "benchmart.duckdb", read_only=True) as con:
        return con.execute(
            "select source, config_id, framework_version, metrics from intermediate.int_runs__judged"
            " where verdict = 'accepted' and source like ? order by all",
            [source],
        ).fetchall()


def _verdicts(root: Path, file: str) -> dict[str, int]:
    with connect(root / "benchmart.duckdb", read_only=True) as con:
        return dict(
            con.execute(
                "select verdict, count(*) from intermediate.int_runs__judged"
                " where ends_with(file, ?) group by all",
                [file],
            ).fetchall()
        )


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, parsed: Path) -> Path:
    root = tmp_path_factory.mktemp("original") / "built"
    write_tables(root / "raw")
    _build(root, parsed)
    # copies are homes that were moved: nothing is left at the old place
    return root.rename(root.with_name("moved"))


def _copy(original: Path, root: Path) -> Path:
    shutil.copytree(original, root)
    return root


@pytest.fixture(scope="module")
def mutated(original: Path, tmp_path_factory: pytest.TempPathFactory, parsed: Path) -> Path:
    root = _copy(original, tmp_path_factory.mktemp("mutated") / "copy")
    _write(root / "raw", SAME | UNREADABLE)
    _build(root, parsed)
    return root


def test_the_same_numbers_in_other_words_change_nothing(original, mutated):
    assert _accepted(mutated) == _accepted(original)


@pytest.mark.parametrize("file", SAME)
def test_a_copy_is_a_duplicate(mutated, file):
    assert set(_verdicts(mutated, file)) <= {"duplicate", "rejected"}
    assert _verdicts(mutated, file)["duplicate"] > 0


@pytest.mark.parametrize("file", UNREADABLE)
def test_what_is_not_understood_is_rejected(mutated, file):
    assert set(_verdicts(mutated, file)) == {"rejected"}


@pytest.fixture(scope="module")
def changed(
    original: Path, tmp_path_factory: pytest.TempPathFactory, parsed: Path
) -> tuple[Path, Landing]:
    """A warehouse whose raw directory was deleted from, renamed in, cut off, corrected and added to."""
    root = _copy(original, tmp_path_factory.mktemp("changed") / "copy")
    raw = root / "raw"
    shutil.rmtree(raw / "mlperf")
    (raw / "aws").rename(raw / "zz")
    (raw / "llm" / "All_results.csv").write_text(LLM[: LLM.index(",101.3861") + 3])
    (raw / "native.csv").write_text(NATIVE.replace(",101,", ",111,"), encoding="utf-8")
    (raw / "hardware.csv").write_text("hardware,kind,tdp_w\nT40XP,gpu,75\n")
    return root, _build(root, parsed)


def test_a_deleted_file_leaves_its_rows(original, changed):
    assert _accepted(changed[0], "mlperf%") == _accepted(original, "mlperf%") != []


def test_a_renamed_file_states_its_rows_again(original, changed):
    assert _accepted(changed[0], "aws%") == _accepted(original, "aws%") != []
    assert set(_verdicts(changed[0], "zz/trn1/latency_data_encoder.csv")) == {"duplicate"}


def test_a_truncated_table_is_told_and_its_last_row_is_not_believed(original, changed):
    root, landing = changed
    assert landing.shrunk == {"raw/llm/All_results.csv": (5, 4)}
    assert "had 5 rows and now has 4; is it cut off?" in landing.warnings[0]
    assert _verdicts(root, "llm/All_results.csv") == {"accepted": 3, "rejected": 1}
    before, now = (set(map(str, _accepted(at, "llm%"))) for at in (original, root))
    assert now < before


def test_a_changed_file_replaces_its_rows(original, changed):
    before, now = (
        {str(run[3]) for run in _accepted(r, "benchmart")} for r in (original, changed[0])
    )
    assert before - now == {"{'throughput': 101.0}"}
    assert now - before == {"{'throughput': 111.0}"}


def test_facts_that_come_late_describe_earlier_rows(original, changed):
    query = (
        "select hardware_known, bound_power_w from intermediate.int_runs__judged"
        " where hardware = 't40xp'"
    )
    for root, expected in ((original, (False, None)), (changed[0], (True, 75.0))):
        with connect(root / "benchmart.duckdb", read_only=True) as con:
            assert con.sql(query).fetchall() == [expected]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("mlperf/summary_results.json", "summary_results.json: not JSON"),
        ("qualcomm/convnext_tiny/perf.yaml", "perf.yaml: not YAML"),
        ("framework.duckdb", "framework.duckdb: (not a DuckDB file|table)"),
    ],
)
def test_a_truncated_document_stops_the_build_with_its_name(original, tmp_path, file, said):
    path = tmp_path / "raw" / file
    path.parent.mkdir(parents=True)
    shutil.copyfile(original / "raw" / file, path)
    whole = path.read_bytes()
    with connect(tmp_path / "x.duckdb") as con:
        land(con, find_files([tmp_path / "raw"]))
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match=said):
            land(con, find_files([tmp_path / "raw"]))


def test_what_other_code_had_read_is_read_anew_and_no_younger(tmp_path, monkeypatch):
    _write(tmp_path / "raw", {"All_results.csv": LLM})
    files = find_files([tmp_path / "raw"])
    with connect(tmp_path / "x.duckdb") as con:
        assert land(con, files).loaded == ["raw/All_results.csv"]
        before = con.sql("select file_hash, rows_read, loaded_at from raw.files").fetchall()
        assert land(con, files).unchanged == ["raw/All_results.csv"]
        monkeypatch.setattr(ingest, "digest_of_readers", lambda: "of other code")
        assert land(con, files).loaded == ["raw/All_results.csv"]
        assert con.sql("select file_hash, rows_read, loaded_at from raw.files").fetchall() == before
        assert land(con, files).unchanged == ["raw/All_results.csv"]
        con.execute("alter table raw.files drop column read_by")  # as an older version left it
        assert land(con, files).loaded == ["raw/All_results.csv"]


def test_documents_of_others_are_skipped_and_told(tmp_path):
    strangers = {
        "tsconfig.json": "{// comments\n}",
        "package.json": '{"name": "x"}',
        "values.yaml": "a: 1\n---\nb: 2\n",
        "NOTES.md": "no table",
        ".git/config.json": "{",
        "other.db": "SQLite format 3",
        "lone.json": '{"Model": "\\ud800", "GPU": "x"}',
    }
    _write(tmp_path / "raw", {**strangers, "All_results.csv": LLM})
    with connect(tmp_path / "x.duckdb") as con:
        landing = land(con, find_files([tmp_path / "raw"]))
    assert landing.loaded == ["raw/All_results.csv"]
    assert landing.unrecognised == ["raw/other.db", "raw/package.json"]
    assert [line.split(":")[0] for line in landing.skipped] == [
        "raw/lone.json",
        "raw/tsconfig.json",
        "raw/values.yaml",
    ]


def test_a_file_that_is_no_source_any_more_is_told(tmp_path):
    _write(tmp_path / "raw", {"README.md": RKNN})
    with connect(tmp_path / "x.duckdb") as con:
        land(con, find_files([tmp_path / "raw"]))
        _write(tmp_path / "raw", {"README.md": RKNN.replace("inputs_shape", "shape")})
        landing = land(con, find_files([tmp_path / "raw"]))
    assert "is not the table any more that it was" in landing.warnings[0]
