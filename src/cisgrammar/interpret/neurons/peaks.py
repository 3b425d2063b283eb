"""Real sequences: how many excite each facet of a neuron, the best sites, and what it feeds."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from anndata import AnnData

from cisgrammar.common.files import whole_file
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.split import Inputs
from cisgrammar.genome.sequence import N
from cisgrammar.genome.shuffling import shuffle_dinucleotides
from cisgrammar.interpret.neurons.facets import Facet
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.segments import smoothed
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.prediction import predict

SITE_COLUMNS = ["chrom", "start", "end", "name", "score", "strand"]
BACKGROUNDS = 32  # shuffled sequences that each facet is put into
logger = logging.getLogger(__name__)


def best_windows(
    network: Network, depth: int, neurons: Sequence[int], codes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find where along each sequence each neuron is highest.

    Returns
    -------
    Values float32 and first bases int, ``(sequences, neurons)``; windows with an N count too, as
    they do for the model.
    """
    values = np.empty((len(codes), len(neurons)), np.float32)
    starts = np.empty((len(codes), len(neurons)), int)
    for rows, found in network.scan(codes, depth):
        own = found[:, neurons]
        values[rows] = own.max(axis=2)
        starts[rows] = own.argmax(axis=2) * network.step(depth)
    return values, starts


def nearest_facets(facets: Sequence[Facet], windows: np.ndarray) -> np.ndarray:
    """Find the facet whose pattern each window ``(n, length)`` fits best."""
    logs = [np.log(smoothed(facet)) for facet in facets]
    tables = np.stack([np.vstack([log, log.mean(axis=0)]) for log in logs])  # N: the mean
    assert N == 4
    fits = tables[:, windows, np.arange(windows.shape[1])].sum(axis=2)  # (facets, n)
    return fits.argmax(axis=0)


def read_peaks(
    network: Network,
    depth: int,
    facets: Mapping[int, Sequence[Facet]],
    thresholds: np.ndarray,
    codes: np.ndarray,
    places: pd.DataFrame,
    n_sites: int = 100,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count the sequences that excite each facet, and list the best sites of each neuron.

    Parameters
    ----------
    network, depth
        Which layer.
    facets
        Of each neuron that is read.
    thresholds
        Of all neurons.
    codes
        uint8 ``(n, length)``.
    places
        Of each sequence: its name as the index, and, where they are known, chrom, start, strand.
    n_sites
        Sites of each neuron, the best, one of each sequence at most.

    Returns
    -------
    counts
        neuron, facet, n_sequences, share (of all sequences, in its best window), highest.
    sites
        The columns of BED, 0-based and half-open in the genome; along the sequence where its
        place is not known. The name is ``neuron_facet``, the score the activation.
    """
    neurons = list(facets)
    values, starts = best_windows(network, depth, neurons, codes)
    length, counts, sites = network.length(depth), [], []
    for column, neuron in enumerate(neurons):
        active = np.flatnonzero(values[:, column] > thresholds[neuron])
        windows = codes[active[:, None], starts[active, column][:, None] + np.arange(length)]
        nearest = nearest_facets(facets[neuron], windows)
        own = values[active, column]
        for number in range(len(facets[neuron])):
            its = own[nearest == number]
            row = (neuron, number, len(its), len(its) / max(len(codes), 1))
            counts.append((*row, its.max() if len(its) else np.nan))
        top = np.argsort(-own, kind="stable")[:n_sites]
        names = [f"{neuron}_{number}" for number in nearest[top]]
        sites.append(
            _sites(
                places.iloc[active[top]], starts[active[top], column], length, codes.shape[1]
            ).assign(name=names, score=own[top])[SITE_COLUMNS]
        )
    columns = ["neuron", "facet", "n_sequences", "share", "highest"]
    return pd.DataFrame(counts, columns=columns), pd.concat(sites, ignore_index=True)


def _sites(places: pd.DataFrame, starts: np.ndarray, length: int, whole: int) -> pd.DataFrame:
    """Turn places along sequences into places in the genome, where these are known."""
    known = {"chrom", "start", "strand"} <= set(places.columns)
    if not known:
        chrom, strand = places.index.astype(str), np.repeat("+", len(places))
        first = starts
    else:
        chrom, strand = places["chrom"].astype(str).to_numpy(), places["strand"].to_numpy()
        backwards = whole - length - starts
        first = places["start"].to_numpy() + np.where(strand == "-", backwards, starts)
    return pd.DataFrame({"chrom": chrom, "start": first, "end": first + length, "strand": strand})


def locate(
    network: Network,
    facets: Mapping[int, Mapping[int, Sequence[Facet]]],
    thresholds: Mapping[int, np.ndarray],
    dataset: AnnData,
    n_sites: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the sequences of a data set by all layers: see :func:`read_peaks`.

    Returns
    -------
    Both tables, the first with a column layer; names of sites are ``L{layer}_{neuron}_{facet}``.
    Layers whose neurons read more than a sequence are left out, which is logged.
    """
    codes, counts, sites = dataset.varm["codes"], [], []
    for depth, its in facets.items():
        if network.length(depth) > codes.shape[1]:
            logger.warning("layer %d reads more than a sequence has: no sites of it", depth)
            continue
        found = read_peaks(network, depth, its, thresholds[depth], codes, dataset.var, n_sites)
        counts.append(found[0].assign(layer=depth)[["layer", *found[0].columns]])
        sites.append(found[1].assign(name=f"L{depth}_" + found[1]["name"]))
    if not counts:
        columns = ["layer", "neuron", "facet", "n_sequences", "share", "highest"]
        return pd.DataFrame(columns=columns), pd.DataFrame(columns=SITE_COLUMNS)
    return pd.concat(counts, ignore_index=True), pd.concat(sites, ignore_index=True)


def write_sites(sites: pd.DataFrame, path: str | Path) -> None:
    """Write sites as BED, the best of each neuron first."""
    with whole_file(path) as temporary:
        sites.to_csv(
            temporary, sep="\t", header=False, index=False, float_format="%.6g", lineterminator="\n"
        )


def effects_of_layers(
    model: SequenceModel | None,
    dataset: AnnData,
    facets: Mapping[int, Mapping[int, Sequence[Facet]]],
    seed: int,
) -> pd.DataFrame:
    """See what the neurons of all layers feed: layer, and the columns of the function below.

    A network of the user's own has no outputs here, and the table no rows.
    """
    columns = ["layer", "neuron", "facet", "cell_type", "change"]
    if model is None:
        return pd.DataFrame(columns=columns)
    obs = dataset.obs
    label = next((key for key in ("cell_type", "label") if key in obs), None)
    groups = obs.index.to_series() if label is None else obs[label]
    inputs = model.read_inputs(dataset)
    tables = [
        effects_on_outputs(model, inputs, its, groups, derive_seed(seed, "feeds", depth)).assign(
            layer=depth
        )
        for depth, its in facets.items()
    ]
    return (
        pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
    )


def effects_on_outputs(
    model: SequenceModel,
    inputs: Inputs,
    facets: Mapping[int, Sequence[Facet]],
    groups: pd.Series,
    seed: int = 1,
    n_facets: int = 3,
) -> pd.DataFrame:
    """Put the patterns of each neuron into shuffled sequences, and read what the model predicts.

    Parameters
    ----------
    model
        All of it, that the network is the lower part of.
    inputs
        Of its sequences.
    facets
        Of each neuron.
    groups
        A label of each of the model's targets, such as its cell type.
    seed
        Of the sequences that are drawn and shuffled.
    n_facets
        Of each neuron, those of the highest activation.

    Returns
    -------
    neuron, facet, cell_type, change: of the mean prediction, in the model's unit.
    """
    rng = np.random.default_rng(derive_seed(seed, "outputs"))
    rows = np.sort(rng.choice(len(inputs), min(BACKGROUNDS, len(inputs)), replace=False))
    drawn = inputs.rows(torch.from_numpy(rows).to(inputs.device))
    shuffled = shuffle_dinucleotides(drawn.codes.cpu().numpy(), derive_seed(seed, "shuffled"))
    labels = groups.astype(str).to_numpy()
    names = sorted(set(labels))

    def by_group(codes: np.ndarray) -> np.ndarray:
        changed = drawn.replace(codes=torch.from_numpy(codes).to(inputs.device))
        each = predict(model, changed).mean(dim=0).cpu().numpy()
        return np.array([each[labels == name].mean() for name in names])

    before, found = by_group(shuffled), []
    for neuron, its in facets.items():
        for number, facet in enumerate(its[:n_facets]):
            word = facet.ppm.argmax(axis=0).astype(np.uint8)[: shuffled.shape[1]]
            start = (shuffled.shape[1] - len(word)) // 2
            codes = shuffled.copy()
            codes[:, start : start + len(word)] = word
            change = by_group(codes) - before
            found += [(neuron, number, *each) for each in zip(names, change, strict=True)]
    return pd.DataFrame(found, columns=["neuron", "facet", "cell_type", "change"])
