"""Stages of a build, each done by benchmart and as a user would do it otherwise; see `speed.py`.

A function here is given a folder that is kept and a size in rows. It makes ready what the stage is
given, and returns what is counted, which says how many rows it was.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from bundled import COMMAND, environment, write_rows
from candidates import SOURCE, write_deployments
from embedding import standardised
from grid import CATEGORIES, MODEL, PLATFORM, STEPS, WORKLOAD, fitted, grid_of, shares
from public_tables import DATA, LLM_THROUGHPUT, read_rows, rows_of
from scipy.spatial.distance import cdist

from models_py import boosting, gaussian_process
from models_py.active_learning import ActiveLearningSystem
from models_py.features import CATEGORICAL, NUMERIC, Encoder
from models_py.grid import predict_grid
from models_py.kernel import Parameters, Points
from models_py.limits import Limits
from models_py.objectives import DEFAULT_DIRECTIONS, sign
from models_py.predict import PerformancePredictor
from models_py.shortlist import Candidates, Tactic, select, weighed
from pipelines.chunks import Chunk, chunks, ends_of_chunks
from pipelines.console import Reporter
from pipelines.dbt import DBT_PROJECT, QUIETLY, Dbt
from pipelines.ingest import find_files, land
from pipelines.published import as_frame, connect, training_frame
from pipelines.stages import UPSTREAM, build_marts, land_files
from pipelines.write_back import add, as_arrow

METRIC = "throughput"
LEARNED = 1_000
OPTIONS_OF_A_WORKLOAD = 31
TESTS = 100
GRID = 10_000_000  # cells of `STEPS` batch sizes and lengths
COMMANDS = 3  # dbt commands of a build
SEED = 941
Run = Callable[[], int]


# --- what stages are given, kept in the folder


def marts(place: Path, size: int) -> Path:
    """A database with features of about so many candidates of LLM-Inference-Bench."""
    home = place / f"marts-{size}"
    dbt = Dbt(home, place / "dbt")
    if not dbt.database.exists():
        write_deployments(home / "raw" / "benchmart", max(1, size // OPTIONS_OF_A_WORKLOAD))
        land_files(dbt, find_files([DATA / SOURCE, home / "raw"]), Reporter())
        build_marts(dbt, Reporter())
    return dbt.database


def every(con: duckdb.DuckDBPyConnection) -> Iterator[Chunk]:
    """All options of a database, chunk by chunk."""
    return chunks(con, ends_of_chunks(con))


def predictor_of(place: Path) -> PerformancePredictor:
    """Of the first measurements by the rule of `features.training_features`."""
    saved = place / "models"
    if not saved.exists():
        with connect(marts(place, 10_000), read_only=True) as con:
            frame = training_frame(con, LEARNED)
        PerformancePredictor((METRIC,)).fit(frame).save(saved)
    return PerformancePredictor.load(saved)


def measurements(place: Path, size: int) -> Path:
    """A folder with so many measurements in the native format, as CSV."""
    folder = place / f"measurements-{size}"
    csv = folder / "benchmart" / "nightly.csv"
    if not csv.exists():
        csv.parent.mkdir(parents=True)
        script = Path(__file__).with_name("scale.py")
        write = ["--write", str(csv.parent), "--rows", str(size)]
        subprocess.run([sys.executable, script, *write], check=True)
        parquet = csv.with_suffix(".parquet")
        duckdb.read_parquet(str(parquet)).write_csv(str(csv))
        parquet.unlink()
    return folder


# --- measurements from CSV into DuckDB


def land_measurements(place: Path, size: int) -> Run:
    folder = measurements(place, size)
    con = duckdb.connect(str(_empty(place / "landed.duckdb")))
    return lambda: land(con, find_files([folder])) and size


def read_by_pandas(place: Path, size: int) -> Run:
    csv = measurements(place, size) / "benchmart" / "nightly.csv"
    con = duckdb.connect(str(_empty(place / "read.duckdb")))

    def run() -> int:
        frame = pd.read_csv(csv)
        con.execute("create table measurements as select * from frame")
        return len(frame)

    return run


# --- a matrix of the features


def matrix_in_chunks(place: Path, size: int) -> Run:
    con, encoder = (
        connect(marts(place, size), read_only=True),
        predictor_of(place).models[METRIC].encoder,
    )
    return lambda: sum(len(encoder.transform(as_frame(each.candidates))) for each in every(con))


def matrix_by_pandas(place: Path, size: int) -> Run:
    con = connect(marts(place, size), read_only=True)

    def run() -> int:
        frame = con.sql("select * from features.candidate_features").df()
        codes = {name: frame[name].astype("category").cat.codes for name in CATEGORICAL}
        numbers = frame[[name for name in NUMERIC if name in frame]].astype(float)
        return len(np.column_stack([numbers, *codes.values()]))

    return run


# --- trees on a grid


def by_grid(crossing: tuple[str, ...], place: Path, size: int) -> Run:
    booster, grid = _forest(place, crossing, size)
    predict_grid(booster, _forest(place, crossing, 100_000)[1])  # loads compiled code
    return lambda: predict_grid(booster, grid).size


def by_rows(crossing: tuple[str, ...], place: Path, size: int) -> Run:
    booster, grid = _forest(place, crossing, size)
    # neighbours take the same branches: candidates of a table do not lie as in the grid
    matrix = grid.matrix(np.random.default_rng(SEED).integers(0, grid.size, min(size, grid.size)))
    return lambda: len(booster.predict(matrix, num_threads=1))


def _forest(place: Path, crossing: tuple[str, ...], size: int):
    saved = place / "rows.parquet"
    if not saved.exists():
        rows_of(read_rows(DATA / SOURCE), LLM_THROUGHPUT).to_parquet(saved)
    rows = pd.read_parquet(saved)
    rows = rows.assign(**shares(rows))
    encoder = Encoder.fit(rows, (*MODEL, *PLATFORM, *WORKLOAD, *crossing), CATEGORIES)
    steps = round((size / GRID) ** (1 / 3) * STEPS)
    return fitted(rows, encoder), grid_of(rows, encoder, max(steps, 2))


# --- all quantiles of a metric, written


def score_in_chunks(place: Path, size: int) -> Run:
    model = predictor_of(place).models[METRIC]
    con = connect(marts(place, size))
    con.execute("drop schema if exists ml cascade")
    model.predict(as_frame(next(every(con)).candidates))  # loads compiled code

    def run() -> int:
        rows = 0
        for chunk in every(con):
            frame = as_frame(chunk.candidates)
            add(con, "predictions", as_arrow(frame[["config_id"]].join(model.predict(frame))))
            rows += len(frame)
        return rows

    return run


def score_by_pandas(place: Path, size: int) -> Run:
    model = predictor_of(place).models[METRIC]
    con = connect(marts(place, size))
    con.execute("drop table if exists predictions")
    boosting.MANY_ROWS = sys.maxsize  # `Booster.predict` alone
    gaussian_process.covariance = _covariance_by_scipy

    def run() -> int:
        frame = con.sql("select * from features.candidate_features").df()
        predicted = frame[["config_id"]].join(model.predict(frame))
        con.execute("create table predictions as select * from predicted")
        return len(predicted)

    return run


def _covariance_by_scipy(one: Points, other: Points, p: Parameters) -> np.ndarray:
    """Of distances between all pairs, as kernels of scikit-learn work it out; and of categories."""
    numbers = one.numbers.shape[1]
    unlike = (one.codes[:, None] != other.codes) | (one.codes[:, None] < 0)
    differs = unlike.astype(float)
    result = p.linear / numbers * one.numbers @ other.numbers.T
    result += p.effects.sum() - differs @ p.effects
    for amplitude, weights in zip(p.amplitudes, (p.workload, p.everything), strict=True):
        scale = np.sqrt(weights[:numbers])
        squared = cdist(one.numbers * scale, other.numbers * scale, "sqeuclidean")
        squared += differs @ weights[numbers:]
        result += amplitude * np.exp(-0.5 * squared)
    return result


# --- a batch of tests


def select_jointly(place: Path, size: int) -> Run:
    options, predictor = _ranked(place, size)
    candidates = Candidates.of(weighed(options, sign(METRIC, DEFAULT_DIRECTIONS)))
    tactic = Tactic({"information_gain": 0.7, "hardware": 0.3}, 0.5)
    model, limits = predictor.models[METRIC], Limits(TESTS)
    return lambda: sum(map(len, select(candidates, model, tactic, limits, SEED)))


def k_center(place: Path, size: int) -> Run:
    """The candidate that is farthest from all before it (Gonzalez 1985), by numpy."""
    options, predictor = _ranked(place, size)
    points = standardised(predictor.models[METRIC].encoder, options)

    def run() -> int:
        distance, chosen = np.full(len(points), np.inf), 0
        for _ in range(TESTS):
            distance = np.minimum(distance, ((points - points[chosen]) ** 2).sum(axis=1))
            chosen = int(distance.argmax())
        return len(points)

    return run


def _ranked(place: Path, size: int) -> tuple[pd.DataFrame, PerformancePredictor]:
    saved, predictor = place / f"ranked-{size}.parquet", predictor_of(place)
    if not saved.exists():
        with connect(marts(place, size), read_only=True) as con:
            measured = con.table("features.measured_configurations").limit(0).df()
            ranked = []
            for chunk in every(con):
                system = ActiveLearningSystem(predictor, as_frame(chunk.candidates), measured)
                ranked.append(system.rank(system.predictions(METRIC), METRIC))
        pd.concat(ranked, ignore_index=True).to_parquet(saved)
    return pd.read_parquet(saved), predictor


# --- scores written


def write_by_arrow(place: Path, size: int) -> Run:
    frame = _scores(place, size)
    con = duckdb.connect(str(_empty(place / "written.duckdb")))
    return lambda: add(con, "scores", as_arrow(frame)) or len(frame)


def write_csv(place: Path, size: int) -> Run:
    frame = _scores(place, size)
    return lambda: frame.to_csv(place / "written.csv", index=False) or len(frame)


def _scores(place: Path, size: int) -> pd.DataFrame:
    names = ["config_id", "p05", "p10", "p50", "p90", "p95", "epistemic", "in_domain", "rank"]
    return _ranked(place, size)[0][names]


# --- dbt commands, and whole builds


def dbt_here(place: Path, size: int) -> Run:
    dbt = _parsed(place)

    def run() -> int:
        for _ in range(COMMANDS):
            dbt.build(UPSTREAM)
        return 1

    return run


def dbt_apart(place: Path, size: int) -> Run:
    dbt = _parsed(place)
    places = {"project-dir": DBT_PROJECT, "profiles-dir": DBT_PROJECT, "target-path": dbt.target}
    said = [f"--{name}={path}" for name, path in (places | {"log-path": dbt.target}).items()]
    command = [COMMAND.with_name("dbt"), *QUIETLY, "build", *said, "--exclude-resource-type"]
    command += ["unit_test", "--indirect-selection", "cautious", "--select", *UPSTREAM]

    def run() -> int:
        for _ in range(COMMANDS):
            subprocess.run(command, check=True, cwd=dbt.directory)
        return 1

    return run


def _parsed(place: Path) -> Dbt:
    """A project that an earlier build has parsed."""
    dbt = Dbt(marts(place, 10_000).parent, place / "dbt")
    dbt.build(UPSTREAM)
    return Dbt(dbt.directory, dbt.target)


def build_again(place: Path, size: int) -> Run:
    home = _built(place)
    return lambda: _benchmart(home, "build") or 1


def build_afresh(place: Path, size: int) -> Run:
    home = _built(place)
    return lambda: _benchmart(home, "build", "--full-refresh") or 1


def _built(place: Path) -> Path:
    home = place / "home"
    if not home.exists():
        home.mkdir()
        write_rows(home, held_back=0)
        _benchmart(home, "build")
    return home


def _benchmart(home: Path, *arguments: str) -> None:
    run = {"cwd": home, "env": environment(home), "stdout": subprocess.DEVNULL}
    subprocess.run([COMMAND, *arguments], check=True, stderr=subprocess.DEVNULL, **run)


def _empty(path: Path) -> Path:
    path.unlink(missing_ok=True)
    return path
