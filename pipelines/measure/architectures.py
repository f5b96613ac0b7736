"""The models that can be timed, as data: classes and configurations of `transformers`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

TEXT = {"input_ids": ("input_length",), "attention_mask": ("input_length",)}
TEXT_ONLY = ("text_embedding", "text_generation")
UNITS = {"text_generation": "output_tokens/s", "vision": "images/s"}
IMAGE = {"pixel_values": (3, "image_size", "image_size")}


@dataclass(frozen=True)
class Architecture:
    """A model that is made where it is timed: nothing is downloaded.

    Attributes
    ----------
    model_class
        Class of `transformers`, made of its `configuration` with random weights.
    folder, factory
        In place of them: the directory of a saved model, or file and name of a function.
    inputs
        Shape of one sample by argument name; names stand for fields of the case.
    integers
        How many values there are, by the name of an input of integers. `input_ids` has as many as the
        model has tokens, `attention_mask` is of ones.
    part
        Attribute of the model that is timed, the whole model when empty.
    largest
        Samples, of text times length, that suites of processors stop at: about a second on one thread.
    image_sizes
        Resolutions that the model accepts and suites of processors run.
    """

    name: str
    model_type: str
    family: str
    model_class: str = ""
    configuration: dict = field(default_factory=dict, hash=False)
    inputs: dict[str, tuple[int | str, ...]] = field(default_factory=lambda: dict(TEXT), hash=False)
    part: str = ""
    largest: int = 16
    image_sizes: tuple[int, ...] = (160, 224)
    integers: dict[str, int] = field(default_factory=dict, hash=False)
    folder: Path | None = None
    factory: tuple[Path, str] | None = None

    @property
    def throughput_unit(self) -> str:
        """What is counted in a second."""
        return UNITS.get(self.model_type, "samples/s")

    @property
    def sizes(self) -> set[str]:
        """Fields of a case that a sample depends on."""
        return {size for shape in self.inputs.values() for size in shape if isinstance(size, str)}


def _llama(hidden: int, layers: int, heads: int, kv_heads: int, between: int, words: int) -> dict:
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": between,
        "vocab_size": words,
        "max_position_embeddings": 8192,
    }


def _bert(hidden: int, layers: int) -> dict:
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": max(hidden // 64, 1),
        "intermediate_size": 4 * hidden,
    }


SMALL = {
    entry.name: entry
    for entry in (
        Architecture(
            "bert-mini", "text_embedding", "bert", "BertModel", _bert(256, 4), largest=4096
        ),
        Architecture(
            "bert-small", "text_embedding", "bert", "BertModel", _bert(512, 4), largest=2048
        ),
        Architecture(
            "minilm-l6",
            "text_embedding",
            "minilm",
            "BertModel",
            _bert(384, 6) | {"num_attention_heads": 12},
            largest=2048,
        ),
        Architecture("distilbert", "text_embedding", "bert", "DistilBertModel", {}, largest=512),
        Architecture(
            "pythia-14m",
            "text_generation",
            "pythia",
            "GPTNeoXForCausalLM",
            _bert(128, 6) | {"vocab_size": 50304, "num_attention_heads": 4},
            largest=2048,
        ),
        Architecture(
            "pythia-70m",
            "text_generation",
            "pythia",
            "GPTNeoXForCausalLM",
            _bert(512, 6) | {"vocab_size": 50304},
            largest=512,
        ),
        Architecture(
            "llama-15m",
            "text_generation",
            "llama",
            "LlamaForCausalLM",
            {
                "hidden_size": 288,
                "num_hidden_layers": 6,
                "num_attention_heads": 6,
                "intermediate_size": 768,
                "vocab_size": 32000,
                "tie_word_embeddings": True,
            },
            largest=2048,
        ),
        Architecture(
            "distilgpt2", "text_generation", "gpt2", "GPT2LMHeadModel", {"n_layer": 6}, largest=512
        ),
        Architecture(
            "resnet-18",
            "vision",
            "resnet",
            "ResNetForImageClassification",
            {"layer_type": "basic", "hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2]},
            IMAGE,
        ),
        Architecture(
            "mobilenet-v2", "vision", "mobilenet", "MobileNetV2ForImageClassification", {}, IMAGE
        ),
        Architecture(
            "efficientnet-b0",
            "vision",
            "efficientnet",
            "EfficientNetForImageClassification",
            {
                "width_coefficient": 1.0,
                "depth_coefficient": 1.0,
                "image_size": 224,
                "hidden_dim": 1280,
            },
            IMAGE,
        ),
        Architecture(
            "convnext-pico",
            "vision",
            "convnext",
            "ConvNextForImageClassification",
            {"hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 6, 2]},
            IMAGE,
        ),
        Architecture(
            "vit-tiny",
            "vision",
            "vit",
            "ViTForImageClassification",
            _bert(192, 12),
            IMAGE,
            image_sizes=(224,),
        ),
        Architecture(
            "whisper-tiny-encoder",
            "audio",
            "whisper",
            "WhisperModel",
            {
                "d_model": 384,
                "encoder_layers": 4,
                "encoder_attention_heads": 6,
                "encoder_ffn_dim": 1536,
                "decoder_layers": 1,
                "max_source_positions": 500,
            },
            {"input_features": (80, 1000)},
            part="encoder",
            largest=4,
        ),
        Architecture(
            "hubert-small",
            "audio",
            "hubert",
            "HubertModel",
            _bert(384, 6) | {"conv_pos_batch_norm": True},
            {"input_values": (48_000,)},
            largest=2,
        ),
        Architecture(
            "ast-tiny",
            "audio",
            "ast",
            "ASTModel",
            _bert(192, 12) | {"max_length": 512},
            {"input_values": (512, 128)},
            largest=4,
        ),
        Architecture(
            "clip-small",
            "multimodal",
            "clip",
            "CLIPModel",
            {
                "text_config": _bert(256, 6),
                "vision_config": _bert(384, 6) | {"patch_size": 32},
            },
            TEXT | IMAGE,
            image_sizes=(224,),
        ),
        Architecture(
            "siglip-small",
            "multimodal",
            "siglip",
            "SiglipModel",
            {
                "text_config": _bert(256, 6),
                "vision_config": _bert(256, 6) | {"patch_size": 16},
            },
            {"input_ids": ("input_length",)} | IMAGE,
            image_sizes=(224,),
        ),
    )
}
# for accelerators: seconds a sample on a core, and more memory than most machines have
LARGE = {
    entry.name: entry
    for entry in (
        Architecture("bert-base", "text_embedding", "bert", "BertModel", _bert(768, 12)),
        Architecture("bert-large", "text_embedding", "bert", "BertModel", _bert(1024, 24)),
        Architecture(
            "llama-1b",
            "text_generation",
            "llama",
            "LlamaForCausalLM",
            _llama(2048, 16, 32, 8, 8192, 128_256) | {"tie_word_embeddings": True},
        ),
        Architecture(
            "llama-8b",
            "text_generation",
            "llama",
            "LlamaForCausalLM",
            _llama(4096, 32, 32, 8, 14_336, 128_256),
        ),
        Architecture(
            "resnet-50",
            "vision",
            "resnet",
            "ResNetForImageClassification",
            {"layer_type": "bottleneck"},
            IMAGE,
            image_sizes=(224,),
        ),
        Architecture(
            "vit-base",
            "vision",
            "vit",
            "ViTForImageClassification",
            _bert(768, 12),
            IMAGE,
            image_sizes=(224,),
        ),
        Architecture(
            "whisper-small-encoder",
            "audio",
            "whisper",
            "WhisperModel",
            {
                "d_model": 768,
                "encoder_layers": 12,
                "encoder_attention_heads": 12,
                "encoder_ffn_dim": 3072,
                "decoder_layers": 1,
            },
            {"input_features": (80, 3000)},
            part="encoder",
        ),
    )
}
ARCHITECTURES = SMALL | LARGE
