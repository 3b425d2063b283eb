"""Samples and facets on disk."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from cisgrammar.common.files import own_hdf5, whole_file
from cisgrammar.interpret.neurons.archive import Archive
from cisgrammar.interpret.neurons.facets import Facet
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.sampling import (
    Samples,
    SamplingSettings,
    require_active,
    sample_layer,
    sample_sequences,
)

logger = logging.getLogger(__name__)


def sample_layers(
    network: Network,
    depths: Sequence[int],
    settings: SamplingSettings,
    folder: str | Path,
    codes: np.ndarray | None = None,
) -> dict[int, Samples]:
    """Sample layers, those below included that seeds are made of; go on where a run was stopped.

    Parameters
    ----------
    network
        Whose.
    depths
        Layers to sample.
    settings
        How.
    folder
        Keeps each layer as soon as it is done. What is there of the same weights and settings is
        taken, and nothing else.
    codes
        Sequences to sample from, uint8 ``(n, length)``; from the model where None.

    Returns
    -------
    Samples of the layers that were asked for, by number.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    key = _key(network, settings, codes)
    found: dict[int, Samples] = {}
    for depth in depths if codes is not None else range(1, max(depths) + 1):
        path = folder / f"layer{depth}.{key}.h5"
        if path.exists():
            logger.info("layer %d is there from a run that was stopped", depth)
            found[depth] = read_samples(path)[depth]
            continue
        found[depth] = (
            sample_layer(network, depth, settings, found.get(depth - 1))
            if codes is None
            else sample_sequences(network, depth, codes, settings)
        )
        require_active(found[depth], settings)
        write_samples({depth: found[depth]}, path)
    return {depth: found[depth] for depth in depths}


def _key(network: Network, settings: SamplingSettings, codes: np.ndarray | None) -> str:
    """Digest what samples depend on."""
    digest = hashlib.sha256(repr(settings).encode())
    for layer in network.layers:
        for value in vars(layer).values():
            digest.update(
                value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
            )
    if codes is not None:
        digest.update(codes.tobytes())
    return digest.hexdigest()[:12]


def write_samples(samples: Mapping[int, Samples], path: str | Path) -> None:
    """Write samples as HDF5: a group ``layer{n}`` each, a group ``neuron{i}`` in it."""
    with whole_file(path) as temporary, h5py.File(temporary, "w", track_order=True) as file:
        for depth, its in samples.items():
            layer = file.create_group(f"layer{depth}")
            layer.attrs.update(length=its.length, how=its.how)
            layer["thresholds"] = its.thresholds
            for i, archive in enumerate(its.archives):
                group = layer.create_group(f"neuron{i}")
                group.attrs["n_active"] = archive.n_active
                options = {"compression": "gzip"} if len(archive) else {}
                group.create_dataset("codes", data=archive.codes, **options)
                group.create_dataset("values", data=archive.values, **options)


def read_samples(path: str | Path) -> dict[int, Samples]:
    """Read what :func:`write_samples` wrote.

    Raises
    ------
    InputError
        If the file is cut short or damaged.
    """
    with own_hdf5(path, "the file of samples"), h5py.File(path) as file:
        found = {}
        for name, layer in file.items():
            depth, thresholds = int(name.removeprefix("layer")), layer["thresholds"][...]
            archives = [
                Archive(group["codes"][...], group["values"][...], int(group.attrs["n_active"]))
                for group in (layer[f"neuron{i}"] for i in range(len(thresholds)))
            ]
            length, how = int(layer.attrs["length"]), str(layer.attrs["how"])
            found[depth] = Samples(depth, length, thresholds, archives, how)
    return dict(sorted(found.items()))


def write_facets(facets: Mapping[int, Mapping[int, Sequence[Facet]]], path: str | Path) -> None:
    """Write facets as HDF5: ``layer{n}/neuron{i}/facet{k}`` with rows (of the samples) and ppm."""
    with whole_file(path) as temporary, h5py.File(temporary, "w", track_order=True) as file:
        for depth, neurons in facets.items():
            for neuron, its in neurons.items():
                for k, facet in enumerate(its):
                    group = file.create_group(f"layer{depth}/neuron{neuron}/facet{k}")
                    group["rows"], group["ppm"] = facet.rows, facet.ppm
                    group.attrs.update(
                        maximum=facet.maximum,
                        consensus_value=facet.consensus_value,
                        decoupling=facet.decoupling,
                    )


def read_facets(path: str | Path) -> dict[int, dict[int, list[Facet]]]:
    """Read what :func:`write_facets` wrote; neurons without facets are not in it.

    Raises
    ------
    InputError
        If the file is cut short or damaged.
    """
    with own_hdf5(path, "the file of facets"), h5py.File(path) as file:
        return {
            int(layer.removeprefix("layer")): {
                int(neuron.removeprefix("neuron")): [
                    Facet(
                        its[f"facet{k}"]["rows"][...],
                        its[f"facet{k}"]["ppm"][...],
                        **{key: float(v) for key, v in its[f"facet{k}"].attrs.items()},
                    )
                    for k in range(len(its))
                ]
                for neuron, its in neurons.items()
            }
            for layer, neurons in file.items()
        }
