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
    "benchmart_runs",
    *(f"benchmart_{name}" for name in SIDE_FILES),
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
    'benchmart_runs'
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
        require(file, columns, SIDE_FILES[path.stem])
        return f"benchmart_{path.stem}"
    if path.parent.name == "benchmart" or names & {"model_name", "batch_size"}:
        require(file, columns, REQUIRED)
        return "benchmart_runs"
    return None


def require(file: str, columns: Sequence[str], required: Sequence[str]) -> None:
    """Check that a header has the required columns.

    Raises
    ------
    InputError
        Naming the first that is missing, and the column that may be meant.
    """
    for name in required:
        if name not in columns:
            hint = did_you_mean(name, [column for column in columns if column not in required])
            raise InputError(f"{file}: header lacks the required column '{name}'{hint}")
