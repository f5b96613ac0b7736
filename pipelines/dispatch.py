"""`benchmart dispatch`: the tests of a plan, measured by the workers of a Dask cluster."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine import connected
from pipelines.measure.output import append, written
from pipelines.measure.planned import in_words, tests_of
from pipelines.measure.remote import measure_test, resource
from pipelines.measure.runner import Summary

if TYPE_CHECKING:
    from distributed import Client, Future

LOOK_EVERY = 0.5
Measure = Callable[[dict, float], "dict | str"]


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

    A test goes to a worker that announces its hardware. One that is lost with its worker goes to
    another, and one that is asked for twice, also by two of these commands, is run once.

    Parameters
    ----------
    patience_s
        How long tests wait for a worker that announces their hardware.

    Raises
    ------
    InputError
        For no plan, an output that is another's, or no address.
    BenchmartError
        Where the cluster does not answer, or has no workers.
    """
    known = {row["config_id"] for row in written(output)}
    tests = [test for test in tests_of(plan) if test["config_id"] not in known]
    summary = Summary(known=len(tests_of(plan)) - len(tests), left=len(tests))
    if not tests:
        return summary
    with connected(scheduler) as client:
        waiting = {_submit(client, test, timeout_s, measure): test for test in tests}
        for future, test in _finished(client, waiting, patience_s, on_event):
            if future.status != "finished":
                on_event(f"{in_words(test)}: given up, {future.exception()!r}")
                continue
            row = future.result()
            if isinstance(row, str):
                on_event(f"{in_words(test)}: {row}")
                continue
            append(output, row | {"config_id": test["config_id"]})
            setattr(summary, row["status"], getattr(summary, row["status"]) + 1)
            summary.left -= 1
            on_event(f"{in_words(test)}: {row['status']}, {summary.left} left")
    return summary


def _submit(client: Client, test: dict, timeout_s: float, measure: Measure) -> Future:
    content = json.dumps([test["config_id"], timeout_s], sort_keys=True)
    return client.submit(
        measure,
        test,
        timeout_s,
        # what has the same key is one task, whoever submits it
        key=f"measure-{hashlib.sha256(content.encode()).hexdigest()}",
        resources={resource(test["hardware"]): 1},
        pure=True,
    )


def _finished(
    client: Client,
    waiting: dict[Future, dict],
    patience_s: float,
    on_event: Callable[[str], None],
) -> Iterator[tuple[Future, dict]]:
    """Tests as they finish; those that nobody announces to run are left when patience is over."""
    waiting = dict(waiting)
    seen = dict.fromkeys((test["hardware"] for test in waiting.values()), time.monotonic())
    while waiting:
        announced = _announced(client)
        now = time.monotonic()
        seen |= {name: now for name in seen if resource(name) in announced}
        for future, test in list(waiting.items()):
            if now - seen[test["hardware"]] > patience_s and not future.done():
                future.cancel()
                del waiting[future]
                on_event(f"{in_words(test)}: no worker announces {resource(test['hardware'])}")
        for future in [each for each in waiting if each.done()]:
            yield future, waiting.pop(future)
        time.sleep(LOOK_EVERY)


def _announced(client: Client) -> set[str]:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return {name for worker in workers for name in worker["resources"]}
