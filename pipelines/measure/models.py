"""Models, and inputs for them. Imports PyTorch: for worker processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from operator import attrgetter
from pathlib import Path

import torch
import transformers

from pipelines.measure.architectures import Architecture
from pipelines.measure.cases import Case


class Unsupported(Exception):
    """The framework cannot run this model in this precision here."""


def build_model(
    architecture: Architecture, device: str = "cpu", floats: torch.dtype = torch.float32
) -> torch.nn.Module:
    """The model in evaluation mode, with random weights where none are saved.

    Parameters
    ----------
    floats
        Type of its weights.

    Raises
    ------
    TypeError
        Where a factory returns something else.
    """
    transformers.logging.set_verbosity_error()
    # large ones would be long in the making on a processor
    made_there = "cpu" if architecture.folder else device
    # the memory of an accelerator may not hold them in single precision; not all can be made in half
    made_in = torch.float32 if made_there == "cpu" or architecture.factory else floats
    with torch.random.fork_rng(devices=[]), torch.device(made_there), _default_floats(made_in):
        torch.manual_seed(0)
        model = _made(architecture)
    model = attrgetter(architecture.part)(model) if architecture.part else model
    return model.to(device, floats).eval().requires_grad_(False)


@contextmanager
def _default_floats(floats: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(floats)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _made(architecture: Architecture) -> torch.nn.Module:
    if architecture.factory:
        return _of_factory(*architecture.factory)
    if architecture.folder:
        return _of_folder(architecture.folder, architecture.model_class)
    model_class = getattr(transformers, architecture.model_class)
    return model_class(model_class.config_class(**architecture.configuration))


def _of_folder(folder: Path, model_class: str) -> torch.nn.Module:
    """A model as `save_pretrained` leaves it; its weights are read if they are safetensors."""
    configuration = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    made = getattr(transformers, model_class or configuration.architectures[0])
    if any(folder.glob("*.safetensors")):
        return made.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    return made(configuration)


def _of_factory(file: Path, function: str) -> torch.nn.Module:
    """What a function of the user's returns."""
    sys.path.insert(0, str(file.parent))  # it may import what lies beside it
    name = f"own_{file.stem}"
    specification = spec_from_file_location(name, file)
    module = sys.modules[name] = module_from_spec(specification)
    specification.loader.exec_module(module)
    model = getattr(module, function)()
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"{function} returns {type(model).__name__}, not a torch.nn.Module")
    return model


def make_inputs(case: Case, vocabulary: int | None) -> dict[str, torch.Tensor]:
    """A batch of random samples.

    Raises
    ------
    ValueError
        Where it has tokens, and how many of them there are is not known.
    """
    inputs, integers = {}, case.model.integers
    for name, shape in case.model.inputs.items():
        sizes = [getattr(case, size) if isinstance(size, str) else size for size in shape]
        if name == "attention_mask":
            inputs[name] = torch.ones((case.batch_size, *sizes), dtype=torch.long)
        elif name in integers or name == "input_ids":
            values = integers.get(name, vocabulary)
            if values is None:
                raise ValueError("how many tokens it knows is not said: set integers.input_ids")
            inputs[name] = torch.randint(0, values, (case.batch_size, *sizes))
        else:
            inputs[name] = torch.randn(case.batch_size, *sizes)
    return inputs


def vocabulary_size(model: torch.nn.Module) -> int | None:
    """Number of token ids, where the model says it."""
    configuration = getattr(model, "config", None)
    text = getattr(configuration, "text_config", configuration)
    return getattr(text, "vocab_size", None)
