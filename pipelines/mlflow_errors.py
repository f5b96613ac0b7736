"""Faults of MLflow's database in one line."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from pipelines.errors import BenchmartError

P = ParamSpec("P")
R = TypeVar("R")
OUT_OF_DATE = "out-of-date database schema"


class TrackingError(BenchmartError):
    """MLflow's database cannot be used."""


def telling(method: Callable[P, R]) -> Callable[P, R]:
    """A method of something with a `root`, that raises a `TrackingError` for what MLflow raises."""

    @functools.wraps(method)
    def told(*arguments: P.args, **named: P.kwargs) -> R:
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import DBAPIError, SQLAlchemyError

        try:
            return method(*arguments, **named)
        except DBAPIError as error:
            raise _error(arguments[0], error.orig) from error
        except (MlflowException, SQLAlchemyError) as error:
            raise _error(arguments[0], error) from error

    return told


def _error(tracker: object, error: BaseException) -> TrackingError:
    reason = str(error).partition("\n")[0]
    if OUT_OF_DATE in reason:
        reason = (
            "its database is of another version of MLflow; keep a copy of it, then run"
            f" `mlflow db upgrade sqlite:///{tracker.root}/mlflow.db`"
        )
    return TrackingError(f"MLflow in {tracker.root}: {reason}")
