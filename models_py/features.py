"""Which columns of a feature frame are learned from, and how they become a matrix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

NUMERIC = (
    "batch_size",
    "input_length",
    "output_length",
    "image_size",
    "concurrency",
    "device_count",
    "framework_version_number",
    "parameters_million",
    "active_parameters_million",
    "layers",
    "hidden_size",
    "heads",
    "kv_heads",
    "vocabulary_size",
    "gmacs",
    "activations_million",
    "memory_gb",
    "memory_bandwidth_gbs",
    "peak_tflops",
    "tdp_w",
    "interconnect_gbs",
    "compute_seconds",
    "memory_seconds",
    "activation_seconds",
    "roofline_seconds",
    "arithmetic_intensity",
    "compute_to_memory",
    "first_share",
    "kv_cache_mb",
    "weights_mb_per_device",
    "memory_share",
    "log_bound",
)
CATEGORICAL = (
    "comparable_group",
    "model_name",
    "model_family",
    "model_type",
    "hardware",
    "framework",
    "hardware_framework",
    "precision",
    "options",
)


@dataclass
class Encoder:
    """Turns feature frames into float matrices; categories become codes.

    A category that was not seen when fitting, and a missing value, become NaN: LightGBM sends both
    down the branch it learned for missing values.

    Attributes
    ----------
    numeric, categories
        Columns that carry information in the fitted frame, and the vocabulary of each category.
    """

    numeric: list[str] = field(default_factory=list)
    categories: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        numeric: Iterable[str] = NUMERIC,
        categorical: Iterable[str] = CATEGORICAL,
    ) -> Encoder:
        """Learn which of the columns vary in `frame` (rows x columns), and their categories."""

        def varies(name: str) -> bool:
            return name in frame and frame[name].nunique(dropna=False) > 1

        categories = {
            name: sorted(frame[name].dropna().unique()) for name in categorical if varies(name)
        }
        return cls([name for name in numeric if varies(name)], categories)

    @property
    def names(self) -> list[str]:
        """Names of the matrix columns: numbers first, then categories."""
        return [*self.numeric, *self.categories]

    @property
    def categorical_positions(self) -> list[int]:
        """Positions of the categories among the matrix columns."""
        return list(range(len(self.numeric), len(self.names)))

    def transform(self, frame: pd.DataFrame, tell_unseen_apart: bool = False) -> np.ndarray:
        """Matrix of shape (rows, columns); a column that the frame lacks is missing throughout.

        Parameters
        ----------
        tell_unseen_apart
            Give categories that were not seen when fitting codes beyond the vocabulary, equal ones the
            same: for comparing rows of one frame.
        """
        matrix = np.full((len(frame), len(self.names)), np.nan)
        for position, name in enumerate(self.numeric):
            if name in frame:
                matrix[:, position] = pd.to_numeric(frame[name]).to_numpy(float, na_value=np.nan)
        for position, (name, values) in enumerate(self.categories.items(), start=len(self.numeric)):
            if name in frame:
                codes = pd.Index(values).get_indexer(frame[name])
                if tell_unseen_apart:
                    unseen = (codes < 0) & frame[name].notna().to_numpy()
                    codes[unseen] = len(values) + pd.factorize(frame.loc[unseen, name])[0]
                matrix[:, position] = np.where(codes >= 0, codes, np.nan)
        return matrix

    def to_dict(self) -> dict:
        """Plain values for JSON."""
        return {"numeric": self.numeric, "categories": self.categories}
