"""The nearest valid name for a mistyped one."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, valid: Iterable[str], listed: int = 0) -> str:
    """A clause for the end of an error message, empty where nothing is near.

    Parameters
    ----------
    listed
        When nothing is near, list up to this many valid names instead.

    Examples
    --------
    >>> did_you_mean("thruput", ["latency_ms", "throughput"])
    "; did you mean 'throughput'?"
    >>> did_you_mean("x", ["latency_ms", "throughput"], listed=5)
    '; valid: latency_ms, throughput'
    """
    names = sorted(set(valid))
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; valid: {', '.join(names[:listed])}" if listed and names else ""
