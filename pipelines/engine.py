"""Where the work of a command is done: on this machine, or by the workers of a Dask cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from pipelines.errors import BenchmartError, InputError
from pipelines.fingerprint import digest_of_code
from pipelines.settings import Settings

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE = "30s"
Item, Result = TypeVar("Item"), TypeVar("Result")


class Engine(Protocol):
    """Runs functions side by side.

    Attributes
    ----------
    side_by_side
        How many.
    """

    side_by_side: int

    def share(self, value: object) -> object:
        """What stands for a value among the arguments of many calls."""

    def submit(self, function: Callable[..., Result], *arguments: object) -> object:
        """Something with `result()` and `cancel()`."""


class Pool:
    """Threads of this process."""

    def __init__(self, pool: ThreadPoolExecutor, side_by_side: int) -> None:
        self.pool, self.side_by_side = pool, side_by_side

    def share(self, value: object) -> object:
        """See `Engine`."""
        return value

    def submit(self, function: Callable[..., Result], *arguments: object) -> object:
        """See `Engine`."""
        return self.pool.submit(function, *arguments)


class Task:
    """What a cluster was asked to do."""

    def __init__(self, client: Client, future: Future) -> None:
        self.client, self.future = client, future

    def result(self) -> object:
        """What came of it, however long it takes while there are workers.

        Raises
        ------
        BenchmartError
            Where the scheduler or all workers are gone, or the task ended several workers.
        """
        from distributed import KilledWorker

        while True:
            try:
                return self.future.result(timeout=PATIENCE)
            except TimeoutError:
                if self.future.done():
                    raise
                if not self.client.nthreads():
                    raise BenchmartError("the cluster has no workers any more") from None
            except CancelledError:
                raise BenchmartError("the scheduler of the cluster is gone") from None
            except KilledWorker as error:
                raise BenchmartError(f"work that ends workers was given up: {error}") from None

    def cancel(self) -> None:
        """Do not do it, if it is not done."""
        self.future.cancel()


class Cluster:
    """Workers of a Dask cluster; what was lost with a worker is done again by another."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @property
    def side_by_side(self) -> int:
        """See `Engine`."""
        return max(1, sum(self.client.nthreads().values()))

    def share(self, value: object) -> object:
        """See `Engine`. A task, not data: its result is made again if the worker that has it dies."""
        return self.client.submit(_itself, value, pure=False)

    def submit(self, function: Callable[..., Result], *arguments: object) -> object:
        """See `Engine`."""
        return Task(
            self.client,
            self.client.submit(_alone, digest_of_code(), function, *arguments, pure=False),
        )


@contextmanager
def threads(count: int) -> Iterator[Pool]:
    """So many threads."""
    with ThreadPoolExecutor(count) as pool:
        yield Pool(pool, count)


@contextmanager
def engine_of(
    settings: Settings, local: Callable[[int], AbstractContextManager[Engine]] = threads
) -> Iterator[Engine]:
    """The engine that the settings ask for.

    Parameters
    ----------
    local
        What makes so many threads or processes, where no cluster is asked for.

    Raises
    ------
    InputError
        Where the address of the cluster is missing or none, or Dask is not installed.
    BenchmartError
        Where no cluster answers, it has no workers, or they have other code.
    """
    if settings.on_cluster:
        if settings.scheduler is None:
            expected = "the address of one (tcp://host:8786)"
            raise InputError(f"--engine dask: needs --scheduler, {expected}")
        with connected(settings.scheduler) as client:
            yield Cluster(client)
        return
    with local(settings.threads) as engine:
        yield engine


def in_turn(
    submit: Callable[[Item], object], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Results in the order of the items, of which no more than so many are taken ahead."""
    items, waiting = iter(items), deque()
    waiting.extend(map(submit, islice(items, ahead)))
    try:
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(map(submit, islice(items, 1)))
    finally:
        for each in waiting:
            each.cancel()


@contextmanager
def connected(scheduler: str) -> Iterator[Client]:
    """A client of a cluster whose workers run this code.

    Raises
    ------
    InputError
        Where the address is none, or Dask is not installed.
    BenchmartError
        Where no cluster answers, it has no workers, or they have other code.
    """
    require_address(scheduler)
    import dask
    from distributed import Client

    # models and frames are sent with the work, so that it can be done again
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
    try:
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except OSError:
        raise BenchmartError(f"--scheduler {scheduler}: no answer") from None
    with client:
        _check_workers(client, scheduler)
        yield client


def require_address(scheduler: str) -> None:
    """Raise an `InputError` for what is no address of a scheduler, or where Dask is not installed."""
    try:
        from distributed.comm import get_address_host_port
    except ImportError:
        raise InputError("Dask is not installed: `pip install -e '.[dask]'`") from None
    try:
        get_address_host_port(scheduler)
    except ValueError:
        expected = f"expected an address as tcp://host:8786, got {scheduler!r}"
        raise InputError(f"--scheduler: {expected}") from None


def _check_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise BenchmartError(f"--scheduler {address}: it has no workers") from None
    try:
        found = client.run(digest_of_code) | {"scheduler": client.run_on_scheduler(digest_of_code)}
    except (ImportError, RuntimeError):
        raise BenchmartError(f"--scheduler {address}: benchmart is not installed there") from None
    others = [name for name, digest in found.items() if digest != digest_of_code()]
    if others:
        raise BenchmartError(
            f"--scheduler {address}: another version of benchmart runs on {', '.join(others)}"
        )


def _itself(value: object) -> object:
    return value


def _alone(code: str, function: Callable[..., Result], *arguments: object) -> Result:
    """Call a function on one core of a worker: others have work of their own, and sums depend on it."""
    from threadpoolctl import threadpool_limits

    if digest_of_code() != code:
        raise BenchmartError("a worker that has come meanwhile runs another version of benchmart")
    threadpool_limits(1)  # for good: another thread of the worker may be at work when this one ends
    return function(*arguments)
