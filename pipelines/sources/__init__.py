"""Where raw files come from, told by their content: one module per source."""

from pipelines.readers.tables import Raw
from pipelines.sources import (
    aws_neuron,
    benchmark_framework,
    benchmart,
    llm_inference_bench,
    ml_energy,
    mlperf_inference,
    qualcomm_ai_hub,
    rknn_model_zoo,
    timm,
)
from pipelines.sources.source import Landed, Source

# the native format comes last: it claims every table that has a column of its own
SOURCES: tuple[Source, ...] = (
    llm_inference_bench.SOURCE,
    timm.SOURCE,
    qualcomm_ai_hub.SOURCE,
    mlperf_inference.SOURCE,
    ml_energy.SOURCE,
    aws_neuron.SOURCE,
    rknn_model_zoo.SOURCE,
    benchmark_framework.SOURCE,
    benchmart.SOURCE,
)
RUN_TABLES = tuple(table for source in SOURCES for table in source.runs)
LANDING_TABLES = tuple(table for source in SOURCES for table in (*source.runs, *source.facts))


def recognise(raw: Raw) -> tuple[Source, Landed] | None:
    """Source of a file and its tables by landing table, `None` where its content is not known.

    Raises
    ------
    InputError
        When the file is of the native format but lacks a required column.
    """
    for source in SOURCES:
        landed = source.recognise(raw)
        if landed is not None:
            return source, landed
    return None
