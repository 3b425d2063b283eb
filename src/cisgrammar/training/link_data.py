"""From files of the pipeline to what the cRE attention model learns, as it is or spoiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from anndata import AnnData

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, share
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import TRAIN
from cisgrammar.data.gene_batches import GenePeaks
from cisgrammar.data.gene_peaks import (
    Accessibility,
    Counted,
    Expression,
    Predicted,
    Scaled,
    learn_expression,
    split_cells,
    without_depth,
)
from cisgrammar.genome.candidates import Candidates
from cisgrammar.genome.shuffling import shuffle_dinucleotides
from cisgrammar.models.abilities import EmbedsCells
from cisgrammar.models.prediction import embed_sequences

VARIANTS = ("model", "no_distance", "shuffled_sequences", "permuted_cells")


def gather_gene_peaks(
    model: EmbedsCells,
    cells: AnnData,
    counts: AnnData,
    candidates: Candidates,
    settings: Mapping[str, Any],
    *,
    seed: int,
    variant: str = "model",
) -> tuple[GenePeaks, np.ndarray]:
    """Join sequences, accessibility and expression.

    Parameters
    ----------
    model
        The first stage: a trained model of the peaks of cells.
    cells
        Cells x peaks, 0 and 1, with ``varm["codes"]``.
    counts
        The same cells x genes.
    candidates
        Genes and their peaks.
    settings
        The section ``links``.
    seed
        Of the split of cells, and of what is spoiled.
    variant
        ``model``: nothing is spoiled. ``shuffled_sequences``: those of peaks are shuffled, their
        dinucleotides kept, before they are described. ``permuted_cells``: expression is that of
        another cell. ``no_distance`` is said to the network.

    Returns
    -------
    The data, and the part of each cell: ``train``, ``validation`` or ``test``.

    Raises
    ------
    InputError
        If genes are not in the counts, cells lack expression, or there are too few of either.
    """
    rows = counts.obs_names.get_indexer(cells.obs_names)
    columns = counts.var_names.get_indexer(candidates.genes["gene"])
    missing = int((rows < 0).sum())
    if missing:
        raise InputError(
            f"links: {missing:,} of {cells.n_obs:,} cells with peaks have no expression "
            f"({share(missing, cells.n_obs):.0%}; peaks: {examples(cells.obs_names)}; RNA: "
            f"{examples(counts.obs_names)}). One of the two files is of an earlier run: delete "
            "accessibility.h5ad and cells_expression.h5ad and run again."
        )
    how = settings["expression"]
    parts = split_cells(cells.n_obs, settings["cells"], seed)
    train = np.flatnonzero(parts == TRAIN)
    matrix = counts.X[rows]
    if variant == "permuted_cells":
        rng = np.random.default_rng(derive_seed(seed, "permuted cells"))
        matrix = matrix[rng.permutation(cells.n_obs)]
    codes = np.ascontiguousarray(cells.varm["codes"])
    embedding = described = embed_sequences(model, torch.from_numpy(codes))
    if variant == "shuffled_sequences":
        described = embed_sequences(model, torch.from_numpy(shuffle_dinucleotides(codes, seed)))
    weight, intercept = (each.detach().cpu() for each in model.cell_weights())
    source: Accessibility = Counted(cells.X)
    if settings["accessibility"] == "predicted":
        source = Predicted(embedding, weight, intercept)
    elif settings["accessibility"] != "counts":
        own, bias = (each.detach().cpu() for each in (model.head.weight, model.head.bias))
        log_odds = settings["accessibility"] == "log_odds"
        source = without_depth(embedding, own, bias, log_odds)
    scaled = Scaled(
        source, cells.n_vars, torch.from_numpy(train), settings["centred"],
        settings["scale"] == "all",
    )  # fmt: skip
    expression = learn_expression(
        matrix, train, seed=derive_seed(seed, "components"), n_components=how["components"],
        relative=how["relative"],
    )  # fmt: skip
    spread = described.std(dim=0).clamp(min=1e-6)
    data = GenePeaks(
        candidates,
        (described - described.mean(dim=0)) / spread,
        scaled,
        _of_genes(expression, columns, train),
        settings["reach"],
    )
    return data, parts


def _of_genes(expression: Expression, columns: np.ndarray, train: np.ndarray) -> Expression:
    """Take some genes; scale components to mean square 1 over training cells and all of them."""
    size = float(np.sqrt((expression.components[train] ** 2).mean())) or 1.0
    return replace(
        expression,
        components=expression.components / size,
        loadings=expression.loadings[:, columns] * size,
        shared=expression.shared[:, columns] * size,
        measured=expression.measured[:, columns],
        mean=expression.mean[columns],
    )


def network_of(settings: Mapping[str, Any], variant: str = "model") -> dict[str, Any]:
    """Give what a model is built and trained by."""
    keys = settings["network"] | settings["training"] | {"target": settings["target"]}
    return keys | ({"distance": "none"} if variant == "no_distance" else {})
