"""Models with random weights, and inputs for them. Imports PyTorch: for worker processes."""

from __future__ import annotations

import torch
import transformers

from pipelines.measure.architectures import Architecture
from pipelines.measure.cases import Case


class Unsupported(Exception):
    """The framework cannot run this model in this precision here."""


def build_model(architecture: Architecture) -> torch.nn.Module:
    """The model with random weights, in evaluation mode."""
    transformers.logging.set_verbosity_error()
    model_class = getattr(transformers, architecture.model_class)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = model_class(model_class.config_class(**architecture.configuration))
    model = getattr(model, architecture.part) if architecture.part else model
    return model.eval().requires_grad_(False)


def make_inputs(architecture: Architecture, case: Case, vocabulary: int) -> dict[str, torch.Tensor]:
    """A batch of random samples."""
    inputs = {}
    for name, shape in architecture.inputs.items():
        sizes = [getattr(case, size) if isinstance(size, str) else size for size in shape]
        if name == "input_ids":
            inputs[name] = torch.randint(0, vocabulary, (case.batch_size, *sizes))
        elif name == "attention_mask":
            inputs[name] = torch.ones((case.batch_size, *sizes), dtype=torch.long)
        else:
            inputs[name] = torch.randn(case.batch_size, *sizes)
    return inputs


def vocabulary_size(model: torch.nn.Module) -> int:
    """Number of token ids, 1 for a model without text."""
    configuration = model.config
    text = getattr(configuration, "text_config", configuration)
    return getattr(text, "vocab_size", 1)
