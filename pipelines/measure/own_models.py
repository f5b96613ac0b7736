"""Models of the user's own, as a file in TOML describes them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from pipelines.errors import InputError
from pipelines.measure.architectures import ARCHITECTURES, IMAGE, TEXT, Architecture
from pipelines.measure.cases import Case
from pipelines.suggest import did_you_mean

INPUTS = {
    "text_embedding": TEXT,
    "text_generation": TEXT,
    "vision": IMAGE,
    "multimodal": TEXT | IMAGE,
}
LARGEST = {"text_embedding": 2048, "text_generation": 512}
Size = PositiveInt | Literal["input_length", "image_size"]


class OwnModel(BaseModel):
    """A table of the file; its name is the model's."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_type: Literal["text_embedding", "text_generation", "vision", "audio", "multimodal"]
    model_family: str | None = None
    folder: Path | None = None
    factory: str | None = None
    model_class: str = ""
    part: str = ""
    inputs: dict[str, tuple[Size, ...]] | None = Field(None, min_length=1)
    integers: dict[str, PositiveInt] = {}
    largest: PositiveInt | None = None
    image_sizes: tuple[PositiveInt, ...] = Field((224,), min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> OwnModel:
        if (self.folder is None) == (self.factory is None):
            raise ValueError("it needs a folder or a factory, and not both")
        if self.factory is not None and not all(self.factory.rpartition(":")[::2]):
            raise ValueError("factory: expected FILE.py:FUNCTION")
        if self.factory is not None and self.model_class:
            raise ValueError("model_class is of a folder; a factory makes the model itself")
        if self.inputs is None and self.model_type not in INPUTS:
            raise ValueError(f"a model of type {self.model_type} needs inputs")
        names = self.inputs or INPUTS[self.model_type]
        if other := next((name for name in self.integers if name not in names), None):
            raise ValueError(
                f"integers: no input is called '{other}'{did_you_mean(other, names, 5)}"
            )
        return self

    def architecture(self, name: str, beside: Path) -> Architecture:
        """What is timed; paths are from where the file is."""
        made = Architecture(
            name=name,
            model_type=self.model_type,
            family=self.model_family or name,
            model_class=self.model_class,
            inputs=dict(self.inputs or INPUTS[self.model_type]),
            part=self.part,
            largest=self.largest or LARGEST.get(self.model_type, 16),
            image_sizes=self.image_sizes,
            integers=self.integers,
        )
        if self.folder is not None:
            return replace(made, folder=(beside / self.folder).resolve())
        file, _, function = self.factory.rpartition(":")
        return replace(made, factory=((beside / file).resolve(), function))


def read_models(path: Path) -> dict[str, Architecture]:
    """Models by name.

    Raises
    ------
    InputError
        Where the file, a table of it or what a table names is not as it should be.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"--models {path}: {error}") from None
    if not tables:
        raise InputError(f"--models {path}: no model; a table [NAME] describes one")
    return {name: _model(path, name, table) for name, table in tables.items()}


def _model(path: Path, name: str, table: object) -> Architecture:
    where = f"--models {path}: [{name}]"
    if name in ARCHITECTURES:
        raise InputError(f"{where} is the name of a model that benchmart has; choose another")
    try:
        made = OwnModel.model_validate(table).architecture(name, path.parent)
    except ValidationError as error:
        raise InputError(f"{where} {_words(error)}") from None
    source = made.folder / "config.json" if made.folder else made.factory[0]
    if not source.is_file():
        raise InputError(f"{where} no file {source}")
    return made


def _words(error: ValidationError) -> str:
    found = error.errors()
    # of a value that may be a number or a word, what is said of words names them
    first = next((each for each in found if each["type"] == "literal_error"), found[0])
    if not first["loc"]:
        return first["msg"].removeprefix("Value error, ")
    field = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return f"has no setting '{field}'{did_you_mean(field, OwnModel.model_fields, 10)}"
    valid = first.get("ctx", {}).get("expected", "").split("'")[1::2]
    near = did_you_mean(str(first["input"]), valid)
    return f"{field}: {first['msg'].lower()}, got {first['input']!r}{near}"


def smallest_of_own_models(cases: Iterable[Case]) -> list[Case]:
    """The smallest case of each model that is not benchmart's, in plain PyTorch."""
    found: dict[Architecture, Case] = {}
    for case in cases:
        if case.model.name not in ARCHITECTURES:
            smallest = found.setdefault(case.model, case)
            found[case.model] = min(smallest, case, key=lambda each: each.size)
    plain = {"framework": "pytorch", "precision": "fp32", "concurrency": 1, "beside": None}
    return [replace(case, **plain) for case in found.values()]
