"""How long a round takes, and what a selection from a million candidates takes.

    python benchmarks/selection_time.py [--data ../shared/data] [--rows 500 1000 2000] [--seed 900]

On one core, each figure in a process of its own. Learned from: rows of LLM-Inference-Bench by chance.
Candidates: models x platforms of that table x a grid of batches and lengths, by chance. A round on 5,000
of them is what a day asks for: refit the light predictor, predict and rank all options, select 20 tests
and say why. From 1,000,000, of which features, predictions and ranks are in memory, 100 are selected.
Memory is the most that the process held, what it was given included.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
from apart import apart, forget, peak_memory
from public_tables import DATA, Table, described, rows_of
from threadpoolctl import threadpool_limits

from models_py.active_learning import ActiveLearningSystem
from models_py.limits import Limits
from models_py.predict import PerformancePredictor
from models_py.replay import light_predictor
from pipelines.published import as_features, training_frame

METRIC = "throughput"
LLM = Table("llm_inference_bench", METRIC, ())
GROUP = "text_generation/inference/tokens/s"
GRID = """
with platforms as (

    select hardware, device_count, framework, options, max(framework_version) as framework_version
    from measured
    group by all

),

models as (

    select distinct model_name, model_type, task, throughput_unit, precision
    from measured

)

select models.*, platforms.*, batch_size, input_length, output_length, 1 as concurrency
from models
cross join platforms
cross join unnest([1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128]) as batches (batch_size)
cross join unnest([64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096]) as inputs (input_length)
cross join unnest([32, 64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048]) as outputs (output_length)
"""
# what selection reads besides the columns that the model does
SELECTED_BY = [
    "is_candidate",
    "prob_feasible",
    "workload_id",
    "rank",
    "prob_best",
]
SELECTED_BY += ["p05", "p50", "p95", "epistemic", "hardware", "framework"]
HEADER = """| rows learned | what | refit s | predict and rank s | select s | memory GB |
|---|---|---|---|---|---|"""


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 1_000, 2_000])
    parser.add_argument("--candidates", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=900)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        measured, grid = read(options.data, options.candidates, options.seed)
        grid.to_parquet(place / "many.parquet")
        grid.sample(5_000, random_state=options.seed).to_parquet(place / "few.parquet")
        found = len(grid)
        del grid
        print(HEADER)
        for count in options.rows:
            measured.sample(count, random_state=options.seed).to_parquet(place / "known.parquet")
            figures = " | ".join(f"{figure:.1f}" for figure in apart(a_round, place, options.seed))
            print(f"| {count:,} | a round: 20 of 5,000 | {figures} |", flush=True)
            *before, _ = apart(_rank, place, "many", options.seed)
            after = apart(a_selection, place, options.seed)
            figures = " | ".join(f"{figure:.1f}" for figure in (*before, *after))
            print(f"| {count:,} | 100 of {found:,} | {figures} |", flush=True)


def read(data: Path, count: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measured rows and described candidates."""
    with described([data]) as con:
        rows = rows_of(training_frame(con, sys.maxsize), LLM)
        measured = rows[rows["comparable_group"] == GROUP]
        con.register("measured", measured)
        grid = con.sql(GRID).df().sample(count, random_state=seed)
        con.register("grid", grid.assign(image_size=None))
        asked = set(con.table("features.candidate_features").columns) - {"cost_minutes"}
        query = f"select {', '.join(asked)} from features.describe_configurations('grid')"
        return measured, as_features(con.sql(query).df())


def a_round(place: Path, seed: int) -> tuple[float, float, float, float]:
    """Seconds of refitting, ranking and selecting, and the most memory in GB."""
    refit, ranked, _ = _rank(place, "few", seed)
    return refit, ranked, *_select(place, seed, 20)


def a_selection(place: Path, seed: int) -> tuple[float, float]:
    """Seconds of selecting, and the most memory in GB."""
    return _select(place, seed, 100)


def _rank(place: Path, candidates: str, seed: int) -> tuple[float, float, float]:
    known = pd.read_parquet(place / "known.parquet")
    frame = pd.read_parquet(place / f"{candidates}.parquet")
    with threadpool_limits(1):
        started = time.perf_counter()
        predictor = light_predictor(METRIC, seed).fit(known)
        refitted = time.perf_counter()
        system = ActiveLearningSystem(predictor, frame, known, seed=seed)
        options = system.rank(system.predictions(METRIC), METRIC)
        ranked = time.perf_counter()
    read = [*predictor.models[METRIC].inputs, *SELECTED_BY]
    options[list(dict.fromkeys(read))].to_parquet(place / "options.parquet")
    predictor.save(place / "models")
    return refitted - started, ranked - refitted, peak_memory() * 2**20 / 1e9


def _select(place: Path, seed: int, tests: int) -> tuple[float, float]:
    options = pd.read_parquet(place / "options.parquet")
    predictor = PerformancePredictor.load(place / "models")
    system = ActiveLearningSystem(predictor, options.head(0), options.head(0), seed=seed)
    pa.default_memory_pool().release_unused()
    forget()
    with threadpool_limits(1):
        started = time.perf_counter()
        chosen = system.select(options, METRIC, Limits(tests))
        seconds = time.perf_counter() - started
    if chosen["batch_order"].notna().sum() != tests:
        raise RuntimeError("the batch is short")
    return seconds, peak_memory() * 2**20 / 1e9


if __name__ == "__main__":
    main()
