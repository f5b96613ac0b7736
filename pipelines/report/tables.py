"""Tables of the report as HTML."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from great_tables import GT
from markupsafe import Markup


def table(
    rows: pd.DataFrame,
    name: str,
    labels: Mapping[str, str],
    decimals: Mapping[str, int] | None = None,
) -> Markup:
    """Columns of a frame under labels; names from data stay text.

    Parameters
    ----------
    name
        Tells its columns from those of other tables in the page.
    decimals
        Of columns whose numbers are not shown to three significant digits.
    """
    decimals = decimals or {}
    columns = {column: f"{name}-{column}" for column in labels}
    shown = rows[list(labels)].rename(columns=columns)
    made = GT(shown).cols_label({columns[column]: label for column, label in labels.items()})
    for column in rows[list(labels)].select_dtypes("bool"):
        made = made.fmt_tf(columns[column], tf_style="yes-no")
    for column, number in rows[list(labels)].select_dtypes("number").items():
        if column in decimals:
            made = made.fmt_number(columns[column], decimals=decimals[column])
        elif pd.api.types.is_integer_dtype(number):
            made = made.fmt_integer(columns[column])
        else:
            made = made.fmt_number(columns[column], n_sigfig=3)
    page = made.sub_missing(missing_text="").as_raw_html()
    # the page has a style of its own, for light and dark
    return Markup(page[page.index("<table") : page.index("</table>") + len("</table>")])
