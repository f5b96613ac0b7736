"""Facts of an architecture for `models.csv`. Imports PyTorch: for worker processes."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from pipelines.measure.architectures import LARGE, TEXT_ONLY, Architecture
from pipelines.measure.cases import Case
from pipelines.measure.models import build_model, make_inputs, vocabulary_size


def model_facts(architecture: Architecture, image_size: int | None) -> dict[str, object]:
    """A row of `models.csv`: of a model, or of one at a resolution where operations depend on it."""
    # what is too large to be made here is counted without being made
    model = build_model(architecture, "meta" if architecture.name in LARGE else "cpu")
    configuration = getattr(model, "config", None)
    text = architecture.model_type in TEXT_ONLY
    generates = architecture.model_type == "text_generation"
    embeddings = [m for m in model.modules() if isinstance(m, torch.nn.Embedding)]
    tied = generates and getattr(configuration, "tie_word_embeddings", False)
    return {
        "model_name": architecture.name,
        "model_type": architecture.model_type,
        "model_family": architecture.family,
        "parameters_million": _millions(model.parameters()),
        # a tied embedding is multiplied, as the last layer
        "embedding_parameters_million": 0 if tied else _millions(m.weight for m in embeddings),
        "layers": getattr(configuration, "num_hidden_layers", None) if text else None,
        "hidden_size": getattr(configuration, "hidden_size", None) if text else None,
        "heads": getattr(configuration, "num_attention_heads", None) if text else None,
        "kv_heads": getattr(configuration, "num_key_value_heads", None) if text else None,
        "vocabulary_size": getattr(configuration, "vocab_size", None) if text else None,
        "image_size": None if text else image_size,
        "gmacs": None if text else _gmacs(architecture, model, image_size),
    }


@torch.inference_mode()
def _gmacs(architecture: Architecture, model: torch.nn.Module, image_size: int | None) -> float:
    case = Case(architecture, "pytorch", "fp32", 1, 1, input_length=32, image_size=image_size)
    counter = FlopCounterMode(display=False)
    with counter, next(model.parameters()).device:
        model(**make_inputs(case, vocabulary_size(model)))
    return round(counter.get_total_flops() / 2e9, 4)


def _millions(parameters) -> float:
    return round(sum(parameter.numel() for parameter in parameters) / 1e6, 4)
