"""What a file holds, and where it is, as one short text."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def place(path: Path) -> str:
    """Tells where a file is, or will be, from other places; as part of a name."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
