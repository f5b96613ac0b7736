"""Raw files as text: one reader per file format."""

from pathlib import Path

from pipelines.errors import InputError
from pipelines.readers.database import read_database
from pipelines.readers.markdown import read_markdown
from pipelines.readers.tables import Raw
from pipelines.readers.tabular import read_csv, read_jsonl, read_parquet
from pipelines.readers.trees import read_json, read_yaml

READERS = {
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".parquet": read_parquet,
    ".json": read_json,
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".md": read_markdown,
    ".duckdb": read_database,
    ".db": read_database,
}
TABULAR = (".csv", ".jsonl", ".parquet")


def open_raw(path: Path, file: str) -> Raw:
    """Open a raw file; rows are read lazily.

    Parameters
    ----------
    file
        Its name as shown to users.

    Raises
    ------
    InputError
        For an empty file, or one that is not of the format its name says.
    """
    if path.stat().st_size == 0:
        raise InputError(f"{file}: the file is empty")
    return READERS[path.suffix](path, file)
