"""`benchmart dispatch`: the tests of a plan, measured by the workers of a Dask cluster."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine import connected
from pipelines.errors import BenchmartError
from pipelines.fingerprint import digest_of_code
from pipelines.measure.output import append, sole_writer, written
from pipelines.measure.remote import measure_test, needs
from pipelines.measure.runner import Summary
from pipelines.plan_file import in_words, tests_of

if TYPE_CHECKING:
    from distributed import Client, Future

LOOK_EVERY = 0.5
FETCH_SECONDS = 30
Measure = Callable[[dict, float, str], "dict | str"]


def dispatch(
    plan: Path,
    output: Path,
    scheduler: str,
    timeout_s: float,
    patience_s: float,
    on_event: Callable[[str], None],
    measure: Measure = measure_test,
) -> Summary:
    """Measure what the output does not hold yet; each result is on disk once it is known.

    A test goes to a worker that announces its hardware and, of the user's own, its model. One that is
    lost with its worker goes to another, and one that is asked for twice, also by two of these commands,
    is run once.

    Parameters
    ----------
    patience_s
        How long tests wait for a worker that announces what they need.

    Raises
    ------
    InputError
        For no plan, an output that is another's, or no address.
    BenchmartError
        Where the cluster does not answer, or has no workers, or somebody else is writing there.
    """
    with sole_writer(output):
        planned, known = tests_of(plan), {row["config_id"] for row in written(output)}
        tests = [test for test in planned if test["config_id"] not in known]
        summary = Summary(known=len(planned) - len(tests), left=len(tests))
        if not tests:
            return summary
        with connected(scheduler) as client:
            waiting = {_submit(client, test, timeout_s, measure): test for test in tests}
            for test, row in _results(client, waiting, patience_s):
                if isinstance(row, str):
                    on_event(f"{in_words(test)}: {row}")
                    continue
                append(output, row | {"config_id": test["config_id"]})
                summary.count(row["status"])
                on_event(f"{in_words(test)}: {row['status']}, {summary.left} left")
    return summary


def _submit(client: Client, test: dict, timeout_s: float, measure: Measure) -> Future:
    code = digest_of_code()
    content = json.dumps([test["config_id"], timeout_s, code])
    return client.submit(
        measure,
        test,
        timeout_s,
        code,
        # what has the same key is one task, whoever submits it
        key=f"measure-{hashlib.sha256(content.encode()).hexdigest()}",
        resources=dict.fromkeys(needs(test), 1),
        pure=True,
    )


def _results(
    client: Client, waiting: dict[Future, dict], patience_s: float
) -> Iterator[tuple[dict, dict | str]]:
    """Rows of tests as they finish, or why there is none: when patience is over, that nobody can."""
    waiting = dict(waiting)
    seen = dict.fromkeys(map(needs, waiting.values()), time.monotonic())
    while waiting:
        announced, now = _announced(client), time.monotonic()
        seen |= {wanted: now for wanted in seen if any(wanted <= each for each in announced)}
        for future, test in list(waiting.items()):
            if future.done():
                try:
                    row = _result(future)
                except TimeoutError:
                    continue  # it was lost with its worker just now, and will be made again
                del waiting[future]
                yield test, row
            elif now - seen[needs(test)] > patience_s:
                future.cancel()
                del waiting[future]
                yield test, f"no worker announces {' and '.join(sorted(needs(test)))}"
        time.sleep(LOOK_EVERY)


def _result(future: Future) -> dict | str:
    match future.status:
        case "error":
            return f"given up, {future.exception()!r}"
        case "cancelled":
            raise BenchmartError("the scheduler of the cluster is gone")
    return future.result(timeout=FETCH_SECONDS)


def _announced(client: Client) -> list[set[str]]:
    """What each worker announces."""
    found = client.scheduler_info(n_workers=-1)
    if "workers" not in found:
        raise BenchmartError("the scheduler of the cluster is gone")
    return [set(worker["resources"]) for worker in found["workers"].values()]
