"""quic/ai-hub-models: `perf.yaml` of a model, in the schemas of its releases.

    models: - name, performance_metrics: - <runtime>: {...}, reference_device_info: {...}

Whatever a runtime, a device or a model states is landed, under the path of its keys; staging picks
what it knows. Releases have a mapping where others have a list, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.readers.tables import PROBLEM, Mapping, Raw, Row, table_of
from pipelines.readers.tabular import text_of
from pipelines.sources.source import Landed, Source

TABLE = "qualcomm_ai_hub"
MODELS, METRICS, DEVICE = "models", "performance_metrics", "reference_device_info"


def recognise(raw: Raw) -> Landed | None:
    """A document with models that have performance metrics."""
    if isinstance(raw.tree, Mapping) and MODELS in raw.tree:
        models = entries(raw.tree[MODELS], METRICS)
        if any(isinstance(model, Mapping) and METRICS in model for model in models):
            return {TABLE: table_of(_rows(models))}
    return None


def entries(node: object, key: str) -> list:
    """The entries of a list, of a mapping by name, or the one entry that stands for itself.

    Examples
    --------
    >>> one = Mapping(name="a", metrics=[])
    >>> entries([one], "metrics") == entries(one, "metrics") == [one]
    True
    >>> entries(Mapping(a=Mapping(metrics=[])), "metrics")
    [{'name': 'a', 'metrics': []}]
    """
    if not isinstance(node, Mapping):
        return node if isinstance(node, list) else [node]
    if key in node or not any(isinstance(value, Mapping) for value in node.values()):
        return [node]
    return [_named(name, value) for name, value in node.items()]


def _named(name: str, value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    entry = Mapping({"name": name, **value})
    entry.line = value.line
    return entry


def _rows(models: list) -> Iterator[Row]:
    for model in models:
        if not isinstance(model, Mapping) or METRICS not in model:
            yield Row(getattr(model, "line", 1), {PROBLEM: f"a model without {METRICS}"})
            continue
        about = {"components": str(len(models)), **_flat(model, "model", skip=METRICS)}
        for device in entries(model[METRICS], DEVICE):
            if isinstance(device, Mapping):
                yield from _device_rows(device, about)
            else:
                problem = f"{METRICS}: expected a device, found {str(device)[:40]!r}"
                yield Row(model.line, {**about, PROBLEM: problem})


def _device_rows(device: Mapping, about: dict[str, str | None]) -> Iterator[Row]:
    """One row per runtime: the mappings beside the device's description."""
    runtimes = {
        name: value
        for name, value in device.items()
        if isinstance(value, Mapping) and name != DEVICE
    }
    described = {name: value for name, value in device.items() if name not in runtimes}
    shared = {**about, **_flat(Mapping(described), "")}
    for name, result in runtimes.items():
        yield Row(result.line, {**shared, **_flat(result, ""), "runtime": name})
    if not runtimes:
        yield Row(device.line, {**shared, PROBLEM: "no runtime has a result on this device"})


def _flat(node: Mapping, path: str, skip: str = "") -> dict[str, str | None]:
    """Leaves of a mapping by their path; lists and deeper structures as JSON."""
    found: dict[str, str | None] = {}
    for key, value in node.items():
        name = f"{path}.{key}" if path else str(key)
        if key == skip:
            continue
        if isinstance(value, Mapping):
            found |= _flat(value, name)
        else:
            found[name] = text_of(value)
    return found


SOURCE = Source(name=TABLE, runs=(TABLE,), facts=(), recognise=recognise)
