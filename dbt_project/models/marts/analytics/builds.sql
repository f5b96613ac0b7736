select
    build_id,
    started_at,
    fingerprint,
    raw_files,
    raw_rows,
    objective,
    metrics,
    refused,
    seconds,
    warnings
from {{ source('ml', 'builds') }}
