"""What identifies a build."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class BuildFacts(NamedTuple):
    """A build, and digests of what it is made from.

    Attributes
    ----------
    fingerprint
        Of raw files, code, facts and settings: builds of one fingerprint hold the same tables.
    recipe
        Of what decides how a model is fitted to given rows.
    """

    build_id: str
    started_at: datetime
    fingerprint: str
    recipe: str
