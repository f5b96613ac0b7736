"""huggingface/pytorch-image-models: the benchmark tables in `results/`."""

from pipelines.sources.source import Source, by_columns

SOURCE = Source(
    name="timm",
    runs=("timm",),
    facts=(),
    recognise=by_columns(
        "timm", {"model", "infer_samples_per_sec"}, {"model", "train_samples_per_sec"}
    ),
)
