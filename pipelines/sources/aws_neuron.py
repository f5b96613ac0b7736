"""aws-neuron/aws-neuron-sdk: the tables of its benchmark pages."""

from __future__ import annotations

import re

from pipelines.readers.tables import Raw
from pipelines.sources.source import Landed, Source

INSTANCE = re.compile(r"inst(\.|ance)?[ -]type", re.IGNORECASE)
PRICE = re.compile(r"hourly rate", re.IGNORECASE)
# tables of a tutorial: what was run on which instance is told by the page around them
TUTORIAL = re.compile(r"TTFT \(P50 in ms\)")


def recognise(raw: Raw) -> Landed | None:
    """Headers differ in every file; all say on which kind of instance, or are of a tutorial."""
    for table in raw.tables[:1]:
        header = "\n".join(table.columns)
        if INSTANCE.search(header) and PRICE.search(header):
            return {"aws_neuron_prices": table}
        if (INSTANCE.search(header) and "Model" in table.columns) or TUTORIAL.search(header):
            return {"aws_neuron": table}
    return None


SOURCE = Source(
    name="aws_neuron",
    runs=("aws_neuron",),
    facts=("aws_neuron_prices",),
    recognise=recognise,
)
