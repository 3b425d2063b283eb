"""A user's own network: its weights from Keras or PyTorch, its layers from a small YAML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.hdf5_safety import look_through
from cisgrammar.common.inputs import examples
from cisgrammar.common.yaml_text import problems_of_yaml
from cisgrammar.genome.sequence import BASES
from cisgrammar.models.conv_layers import ACTIVATIONS, ConvLayer, fold_norm

Arrays = dict[str, np.ndarray]

KEYS = (
    *("convolution", "batch_norm", "norm_after_activation", "epsilon", "before", "activation"),
    *("pool", "pool_stride", "stride", "dilation"),
)
_EPSILON = {"keras": 1e-3, "pytorch": 1e-5}  # defaults of either library
# what Keras 3 calls by numbers
_KERAS_3 = {"kernel": ("0", "1"), "gamma": ("0", "1", "2", "3")}


def read_network(weights: str | Path, description: str | Path) -> list[ConvLayer]:
    """Read the convolutions of a user's network.

    Parameters
    ----------
    weights
        HDF5 of Keras (a whole model or its weights), or a state dict of PyTorch.
    description
        YAML: see config/README.md, ``neurons``.

    Returns
    -------
    From the layer that reads DNA upwards.

    Raises
    ------
    InputError
        With all that is wrong with either file, or that does not fit.
    """
    asked, order = _read_description(description)
    kind, tensors = _read_weights(weights)
    problems, layers = Problems(), []
    for number, layer in enumerate(asked, start=1):
        where = f"{weights}: layer {number} of {description}"
        try:
            layers.append(_layer(layer, kind, tensors, where))
        except InputError as error:
            problems.add(str(error))
    problems.raise_if_any()
    _check_channels(layers, weights, description)
    rows = [order.index(base) for base in BASES]
    first = layers[0]
    return [_with_weight(first, first.weight[:, rows]), *layers[1:]]


def _with_weight(layer: ConvLayer, weight: np.ndarray) -> ConvLayer:
    return ConvLayer(**(vars(layer) | {"weight": np.ascontiguousarray(weight)}))


def _read_description(path: str | Path) -> tuple[list[dict[str, Any]], str]:
    doubtful = Problems()
    for message in problems_of_yaml(path):
        doubtful.add(f"{path}: {message}")
    doubtful.raise_if_any()
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: this is not YAML ({why}). Correct that place.") from None
    if not isinstance(content, dict) or not isinstance(content.get("layers"), list):
        raise InputError(
            f"{path}: no list `layers`. Name the network's convolutions from the sequence "
            "upwards, such as `layers: [{convolution: conv1d_1, activation: relu, pool: 2}]`."
        )
    problems = Problems()
    for message in _wrong_in(content):
        problems.add(f"{path}: {message}")
    problems.raise_if_any()
    return content["layers"], content.get("bases", BASES)


def _wrong_in(content: Mapping[str, Any]) -> Iterable[str]:
    """Say what is wrong with a description by itself."""
    if sorted(str(content.get("bases", BASES))) != sorted(BASES):
        yield f"`bases` is {content['bases']}, but should be A, C, G and T in the network's order."
    if not content["layers"]:
        yield "`layers` is empty. Name at least one convolution."
    for number, layer in enumerate(content["layers"], start=1):
        if not isinstance(layer, dict) or not isinstance(layer.get("convolution"), str):
            yield f"layer {number} does not say which `convolution` it is, by its name."
            continue
        for key in sorted(set(layer) - set(KEYS), key=str):
            yield f"layer {number}: key `{key}` is not known. Known: {', '.join(KEYS)}."
        for key in ("before", "activation"):
            if layer.get(key, "none") not in ACTIVATIONS:
                yield (
                    f"layer {number}: `{key}` is {layer[key]}, but should be one of "
                    f"{', '.join(ACTIVATIONS)}."
                )
        for key in ("pool", "pool_stride", "stride", "dilation"):
            value = layer.get(key, 1)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                yield f"layer {number}: `{key}` is {value}, but should be a whole number from 1 on."


def _read_weights(path: str | Path) -> tuple[str, Arrays]:
    """Read all arrays of a file by their path in it."""
    try:
        if h5py.is_hdf5(path):
            return "keras", _read_hdf5(path)
        return "pytorch", _read_pytorch(path)
    except (InputError, FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:  # a damaged file can raise anything in h5py and torch
        why = (str(error).splitlines() or [type(error).__name__])[0][:150]
        if "Weights only load failed" in why:
            why = "it holds more than tensors"
        raise InputError(
            f"{path}: neither HDF5 of Keras nor a state dict of PyTorch ({why}). Save weights "
            "with `model.save_weights('x.weights.h5')` in Keras, or with "
            "`torch.save(model.state_dict(), 'x.pt')`; a whole pickled module is not read, "
            "because it would run code."
        ) from error


def _read_hdf5(path: str | Path) -> Arrays:
    found: Arrays = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and item.ndim:
            if item.external or item.is_virtual:
                raise ValueError("it points at other files")
            found[name] = item[...]

    look_through(path)
    with h5py.File(path) as file:
        file.visititems(keep)
    return {name: array for name, array in found.items() if "optimizer" not in name.split("/")[0]}


def _read_pytorch(path: str | Path) -> Arrays:
    import torch  # Keras files do without

    state = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model_state_dict", "state"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict):
        raise ValueError(f"it holds a {type(state).__name__}")
    return {
        str(name): tensor.float().numpy()
        for name, tensor in state.items()
        if isinstance(tensor, torch.Tensor) and tensor.is_floating_point()
    }


def _layer(asked: Mapping[str, Any], kind: str, tensors: Arrays, where: str) -> ConvLayer:
    find: Callable[[str, str], Arrays] = {"keras": _of_keras, "pytorch": _of_pytorch}[kind](
        tensors, where
    )
    parts = find(asked["convolution"], "kernel")
    weight = _as_filters(parts["kernel"], kind, f"{where}: `{asked['convolution']}`")
    bias = parts.get("bias", np.zeros(len(weight), np.float32))
    scale = shift = None
    if asked.get("batch_norm"):
        norm = find(asked["batch_norm"], "gamma")
        if len(norm["mean"]) != len(weight):
            raise InputError(
                f"{where}: `{asked['batch_norm']}` normalises {len(norm['mean'])} channels, but "
                f"`{asked['convolution']}` has {len(weight)} filters. Name the one that follows."
            )
        ones = np.ones(len(weight))
        gain, offset = norm.get("gamma", ones), norm.get("beta", 0 * ones)
        epsilon = float(asked.get("epsilon", _EPSILON[kind]))
        if asked.get("norm_after_activation", False):
            scale = (gain / np.sqrt(norm["variance"] + epsilon)).astype(np.float32)
            shift = (offset - norm["mean"] * scale).astype(np.float32)
        else:
            averages = (gain, offset, norm["mean"], norm["variance"])
            weight, bias = fold_norm(weight, bias, averages, epsilon)
    keys = ("before", "pool", "pool_stride", "stride", "dilation")
    return ConvLayer(
        np.ascontiguousarray(weight, np.float32),
        bias.astype(np.float32),
        after=asked.get("activation", "none"),
        scale=scale,
        shift=shift,
        **{key: asked[key] for key in keys if key in asked},
    )


def _of_keras(tensors: Arrays, where: str) -> Callable[[str, str], Arrays]:
    """Find a layer's arrays by its name, in files of Keras 2 and 3."""
    renamed = {"moving_mean": "mean", "moving_variance": "variance"}

    def find(layer: str, needed: str) -> Arrays:
        parts: Arrays = {}
        for path, array in tensors.items():
            *folders, last = path.split("/")
            if layer in folders:
                leaf = last.partition(":")[0]
                parts[renamed.get(leaf, leaf)] = array
        if parts and set(parts) <= set("0123"):
            names = ("kernel", "bias") if needed == "kernel" else _norm_names(len(parts))
            parts = dict(zip(names, (parts[key] for key in sorted(parts)), strict=False))
        known = {path.split("/")[-2] for path in tensors if "/" in path} - {"vars"}
        known |= {path.split("/")[-3] for path in tensors if "/vars/" in path}
        return _required(parts, layer, needed, known, where)

    return find


def _norm_names(n: int) -> tuple[str, ...]:
    return ("gamma", "beta", "mean", "variance") if n == 4 else ("beta", "mean", "variance")


def _of_pytorch(tensors: Arrays, where: str) -> Callable[[str, str], Arrays]:
    """Find a module's tensors by its name."""

    def find(layer: str, needed: str) -> Arrays:
        names = {"weight": needed, "bias": "bias" if needed == "kernel" else "beta"}
        names |= {"running_mean": "mean", "running_var": "variance"}
        parts = {
            names[last]: array
            for path, array in tensors.items()
            for module, _, last in [path.rpartition(".")]
            if module == layer and last in names
        }
        known = {path.rpartition(".")[0] for path in tensors}
        return _required(parts, layer, needed, known, where)

    return find


def _required(parts: Arrays, layer: str, needed: str, known: Iterable[str], where: str) -> Arrays:
    wanted = {"kernel"} if needed == "kernel" else {"mean", "variance"}
    if not wanted <= set(parts):
        what = "a convolution" if needed == "kernel" else "a normalisation with running averages"
        raise InputError(
            f"{where}: the weights hold nothing called `{layer}` that is {what}. They hold: "
            f"{examples(sorted(known), 8)}. Correct the name, or take the weights that belong "
            "to this description."
        )
    return parts


def _as_filters(kernel: np.ndarray, kind: str, where: str) -> np.ndarray:
    """Turn a kernel as its library has it into ``(filters, channels, width)``."""
    shape = kernel.shape
    if kernel.ndim == 4:  # a convolution of a plane, along one of its sides
        sides = (0, 1) if kind == "keras" else (2, 3)
        one = [side for side in sides if shape[side] == 1]
        kernel = kernel.squeeze(one[0]) if one else kernel
    if kernel.ndim != 3:
        raise InputError(
            f"{where} is not a plain convolution along the sequence: its weights are {shape}. "
            "Only convolutions over all channels can be read, with pools of maxima between "
            "them: stop the description below this layer."
        )
    return kernel.transpose(2, 1, 0) if kind == "keras" else kernel


def _check_channels(layers: list[ConvLayer], weights: str | Path, description: str | Path) -> None:
    problems, channels = Problems(), len(BASES)
    for number, layer in enumerate(layers, start=1):
        if layer.weight.shape[1] != channels:
            below = "the sequence has 4 bases" if number == 1 else f"the one below has {channels}"
            problems.add(
                f"{weights}: layer {number} of {description} reads {layer.weight.shape[1]} "
                f"channels, but {below}. A layer is missing or in the wrong place, the "
                "convolution has groups or is not plain, or the weights are of another network."
            )
        if len(layer.bias) != layer.filters or not np.isfinite(layer.weight).all():
            problems.add(
                f"{weights}: layer {number} of {description} has {len(layer.bias)} biases for "
                f"{layer.filters} filters, or weights that are not numbers. Save them anew."
            )
        channels = layer.filters
    problems.raise_if_any()
