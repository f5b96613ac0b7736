"""Probabilities in words: what comes of draws is never certain."""

SHOWN = 0.995


def odds(probability: float) -> str:
    """A probability in percent, as it is told to people.

    Examples
    --------
    >>> odds(0.534), odds(0.9998), odds(0.0)
    ('53 %', 'over 99 %', 'under 1 %')
    """
    if probability >= SHOWN:
        return "over 99 %"
    if probability < 1 - SHOWN:
        return "under 1 %"
    return f"{100 * probability:.0f} %"
