"""Which prices count; apart from what reads them, so that commands start fast."""

from __future__ import annotations

from typing import NamedTuple


class Offers(NamedTuple):
    """Which offers count.

    Attributes
    ----------
    currency
        Offers in another one do not; one that does not say is taken to be in this one.
    provider, region
        Only these, where given; case does not matter.
    """

    currency: str
    provider: str | None = None
    region: str | None = None
