select
    build_id,
    started_at,
    fingerprint,
    git_commit,
    inputs,
    raw_files,
    raw_rows,
    objective,
    metrics,
    refused,
    mlflow_runs,
    serving,
    row_counts,
    seconds,
    warnings
from {{ source('ml', 'builds') }}
