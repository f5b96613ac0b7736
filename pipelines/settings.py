"""One typed settings object: `benchmart.toml`, overridden by `BENCHMART_*` variables, then by flags."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ByteSize,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from models_py.objectives import BALANCE, main_metric
from pipelines.errors import InputError
from pipelines.memory import DEFAULT_LIMIT
from pipelines.offers import Offers

PROJECT = Path(__file__).resolve().parent.parent
MOST_TRAINING_ROWS = 300_000


class Weights(BaseModel, extra="forbid"):
    """Weights of `combined_score`; the two need not add up to one, the score is normalised."""

    information_gain: float = Field(0.7, ge=0)
    hardware: float = Field(0.3, ge=0)

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if self.information_gain + self.hardware == 0:
            raise ValueError("one of the weights must be above 0")
        return self


class Retraining(BaseModel, extra="forbid"):
    """When a metric's model is fitted anew; see `models_py.retraining.Policy`."""

    when: Literal["auto", "always"] = "auto"
    always_below: int = Field(2_000, ge=0)
    growth: float = Field(0.01, ge=0)
    days: float = Field(7, ge=0)
    significance: float = Field(0.01, ge=0, le=1)


class Gate(BaseModel, extra="forbid"):
    """What a build has to be like to be published; see `pipelines.gate`."""

    coverage: tuple[float, float] = (0.85, 0.97)
    shrinkage: float = Field(0.1, ge=0, le=1)

    @field_validator("coverage")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= value[0] < value[1] <= 1:
            raise ValueError("coverage goes from a lower to a higher share, within 0 and 1")
        return value


class Settings(BaseSettings):
    """Everything a command can be told."""

    model_config = SettingsConfigDict(
        env_prefix="BENCHMART_",
        env_nested_delimiter="__",
        toml_file="benchmart.toml",
        extra="forbid",
    )

    raw: Annotated[tuple[Path, ...], NoDecode] = (PROJECT / "raw",)
    warehouse: Path = Path("warehouse")
    mlruns: Path = PROJECT / "mlruns"
    objective: str = "throughput"
    budget: int = Field(10, ge=1, le=10_000)
    plan_depth: int = Field(100, ge=1, le=10_000)
    metrics: Annotated[tuple[str, ...], NoDecode] = ("throughput", "latency_ms", "memory_mb")
    weights: Weights | Literal["auto", "fixed"] = Field(
        "auto", description="auto, fixed, or information_gain and hardware of at least 0"
    )
    decision_share: Annotated[float, Field(ge=0, le=1)] | Literal["auto"] = Field(
        "auto", description="auto, or a number from 0 to 1"
    )
    minutes_per_test: float = Field(10, gt=0)
    currency: str = "USD"
    provider: str | None = None
    region: str | None = None
    balance: dict[str, Annotated[float, Field(gt=0)]] = Field(BALANCE, min_length=1)
    minimum_feasibility: float = Field(0.5, ge=0, le=1)
    limit_memory: ByteSize = Field(
        DEFAULT_LIMIT, ge=1_000_000_000, description="a size of at least 1GB"
    )
    training_rows: int = Field(MOST_TRAINING_ROWS, ge=100)
    retraining: Retraining = Retraining()
    gate: Gate = Gate()
    exports: bool = True
    report: bool = True
    seed: int = 0
    # who has just followed the link to a build still finds it when the next one is published
    keep_builds: int = Field(5, ge=2)
    threads: int = Field(2, ge=1)
    engine: Literal["local", "dask"] | None = Field(None, description="local or dask")
    scheduler: str | None = None

    @field_validator("raw", "metrics", mode="before")
    @classmethod
    def _split(cls, value: object, info: ValidationInfo) -> object:
        """Variables separate directories as PATH does, metrics by commas."""
        separator = os.pathsep if info.field_name == "raw" else ","
        return tuple(value.split(separator)) if isinstance(value, str) else value

    @property
    def offers(self) -> Offers:
        """The prices that count."""
        return Offers(self.currency, self.provider, self.region)

    @property
    def on_cluster(self) -> bool:
        """Whether work is done by a Dask cluster: where one is named, unless `engine` is local."""
        return self.engine == "dask" or (self.engine is None and self.scheduler is not None)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Metrics to learn, that of the objective first."""
        return tuple(dict.fromkeys(map(main_metric, (self.objective, *self.metrics))))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first, then the environment, then `benchmart.toml` of the working directory."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**flags: object) -> Settings:
    """Settings with the given flags on top; `None` means that a flag was not given.

    Raises
    ------
    InputError
        For a value that does not fit, naming the setting.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        setting = str(first["loc"][0])
        expected = getattr(Settings.model_fields.get(setting), "description", None)
        if expected:
            raise InputError(f"{setting}: expected {expected}, got {first['input']!r}") from None
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{name}: {first['msg'].lower()}, got {first['input']!r}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"benchmart.toml: {error}") from None
    except SettingsError as error:
        raise InputError(f"settings: {error}") from None
