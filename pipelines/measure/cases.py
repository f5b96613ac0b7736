"""What is timed: one configuration, and what identifies it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pipelines.measure.accelerators import Accelerator
from pipelines.measure.architectures import Architecture
from pipelines.measure.processor import hardware_name

IDENTITY = (
    "model_name",
    "hardware",
    "framework",
    "precision",
    "batch_size",
    "input_length",
    "output_length",
    "image_size",
    "concurrency",
    "options",
)


@dataclass(frozen=True)
class Case:
    """One configuration to time.

    Attributes
    ----------
    threads
        Cores that the model has, for all requests together.
    concurrency
        Requests that are served at the same time, by one copy of the model.
    beside
        What another process of this machine runs meanwhile, on cores of its own where there are some.
    accelerator
        What the model runs on, where that is not the processor.
    """

    model: Architecture
    framework: str
    precision: str
    threads: int
    batch_size: int
    input_length: int | None = None
    output_length: int | None = None
    image_size: int | None = None
    concurrency: int = 1
    beside: Case | None = None
    accelerator: Accelerator | None = None

    @property
    def model_name(self) -> str:
        """Name of its model."""
        return self.model.name

    @property
    def hardware(self) -> str:
        """The platform that it runs on, as the warehouse calls it."""
        return self.accelerator.name if self.accelerator else hardware_name(self.threads)

    @property
    def device(self) -> str:
        """What PyTorch calls the type of what it runs on."""
        return self.accelerator.kind if self.accelerator else "cpu"

    @property
    def group(self) -> tuple[object, ...]:
        """Cases of one group share a process, a model and its preparation."""
        sharing = (self.concurrency, self.beside, self.accelerator)
        return self.model, self.framework, self.precision, self.threads, *sharing

    @property
    def size(self) -> int:
        """Samples times length: what memory grows with."""
        return self.batch_size * (self.input_length or (self.image_size or 1))

    @property
    def options(self) -> str | None:
        """What else its result depends on, in words."""
        return f"beside {self.beside}" if self.beside else None

    def cells(self, names: tuple[str, ...] = IDENTITY) -> tuple[str, ...]:
        """Its cells of these columns, as a file has them."""
        return identity({name: getattr(self, name) for name in names}, names)

    def __str__(self) -> str:
        sizes = (self.input_length, self.output_length, self.image_size)
        words = (
            self.model_name,
            self.framework,
            self.precision,
            f"batch {self.batch_size}",
            *sizes,
        )
        return " ".join(str(word) for word in words if word is not None)


def identity(row: dict, names: tuple[str, ...] = IDENTITY) -> tuple[str, ...]:
    """Cells of a row as a file has them."""
    return tuple("" if row.get(name) is None else str(row[name]) for name in names)


CONFIGURED = tuple(field.name for field in fields(Case) if field.name in IDENTITY)
