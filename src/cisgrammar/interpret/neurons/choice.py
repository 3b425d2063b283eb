"""Which network, layers and neurons are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from cisgrammar.common.errors import InputError
from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.neurons.network import Network, stacks_of
from cisgrammar.interpret.neurons.sampling import Samples
from cisgrammar.models.checkpoints import load_model
from cisgrammar.models.conv_layers import ConvLayer
from cisgrammar.models.network_files import read_network


def open_network(
    files: Sequence[str | Path], name: str | None = None, device: torch.device | str = "cpu"
) -> Network:
    """Open the convolutions of a trained model, or of a user's own network.

    Parameters
    ----------
    files
        One checkpoint; or weights and their description.
    name
        Of the networks of a model, such as a level of labels; the first where None.
    device
        Where it computes.

    Raises
    ------
    InputError
        If a file cannot be read, or the model has no network of that name.
    """
    if len(files) == 2:
        return Network(read_network(*files), device)
    stacks = stacks_of(load_model(files[0]))
    if not stacks:
        raise InputError(
            f"{files[0]}: this model reads no sequence, so it has no convolutions. Take another "
            "model for `neurons.models`, or let it read sequences (`network.inputs`)."
        )
    if name is not None and name not in stacks:
        raise InputError(
            f"{files[0]}: no network is called `{name}` (`neurons.network`). It has: "
            f"{', '.join(stacks)}."
        )
    return Network(stacks[next(iter(stacks)) if name is None else name], device)


def chosen_neurons(network: Network, samples: Samples, most: int) -> list[int]:
    """Choose the neurons of a layer that say the most to what is above them.

    Parameters
    ----------
    network, samples
        Of the layer.
    most
        How many.

    Returns
    -------
    Numbers in order; neurons that nothing excites are left out. What a neuron says is its highest
    value times the size of its weights in the next layer; the highest alone in the last layer.
    """
    strength = samples.maxima.astype(np.float64)
    if samples.depth < len(network.layers):
        strength = strength * np.abs(network.layers[samples.depth].weight).sum(axis=(0, 2))
    active = [i for i, archive in enumerate(samples.archives) if len(archive)]
    strongest = sorted(active, key=lambda i: (-round(float(strength[i]), 6), i))[:most]
    return sorted(strongest)


def with_random_weights(layers: Sequence[ConvLayer], seed: int) -> list[ConvLayer]:
    """Shuffle the weights of each filter: a network of the same kind that has learned nothing."""
    rng = np.random.default_rng(derive_seed(seed, "random weights"))
    shuffled = []
    for layer in layers:
        flat = layer.weight.reshape(layer.filters, -1)
        weight = rng.permuted(flat, axis=1).reshape(layer.weight.shape)
        shuffled.append(ConvLayer(**(vars(layer) | {"weight": weight})))
    return shuffled
