"""argonne-lcf/LLM-Inference-Bench: the tables behind its plots."""

from pipelines.sources.source import Source, by_columns

SOURCE = Source(
    name="llm_inference_bench",
    runs=("llm_inference_bench",),
    facts=(),
    recognise=by_columns("llm_inference_bench", {"Num of Hardware", "Framework"}),
)
