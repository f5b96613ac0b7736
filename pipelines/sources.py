"""Which landing table a raw file belongs to, told by its content."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from pipelines.errors import InputError
from pipelines.suggest import did_you_mean

REQUIRED = ("model_name", "hardware", "batch_size")
SIDE_FILES = {
    "hardware": ("hardware",),
    "models": ("model_name",),
    "metrics": ("metric",),
    "prices": ("hardware", "device_count"),
    "deployments": REQUIRED,
    "candidates": REQUIRED,
}
LANDING_TABLES = (
    "benchmark_runs",
    *(f"benchmark_{name}" for name in SIDE_FILES),
    "llm_inference_bench",
    "timm",
)


def recognise(file: str, columns: Sequence[str]) -> str | None:
    """Landing table of a file, or `None` where its content is not known.

    Parameters
    ----------
    file
        Name of the file as shown to users, with its folder.
    columns
        Names in its header.

    Raises
    ------
    InputError
        When the file is of the native format but lacks a required column.

    Examples
    --------
    >>> recognise("x/runs.csv", ["model_name", "hardware", "batch_size", "throughput"])
    'benchmark_runs'
    >>> recognise("x/a.csv", ["model", "infer_samples_per_sec"])
    'timm'
    >>> recognise("x/notes.csv", ["author", "text"]) is None
    True
    """
    path = PurePosixPath(file)
    names = set(columns)
    if {"Num of Hardware", "Framework"} <= names:
        return "llm_inference_bench"
    if "model" in names and names & {"infer_samples_per_sec", "train_samples_per_sec"}:
        return "timm"
    if path.stem in SIDE_FILES and path.suffix == ".csv":
        _require(file, columns, SIDE_FILES[path.stem])
        return f"benchmark_{path.stem}"
    if path.parent.name == "benchmark" or names & {"model_name", "batch_size"}:
        _require(file, columns, REQUIRED)
        return "benchmark_runs"
    return None


def _require(file: str, columns: Sequence[str], required: Sequence[str]) -> None:
    for name in required:
        if name not in columns:
            hint = did_you_mean(name, [column for column in columns if column not in required])
            raise InputError(f"{file}: header lacks the required column '{name}'{hint}")
