"""A few genes with peaks of which one drives each, in cells of three types."""

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from cisgrammar.data.gene_batches import GenePeaks
from cisgrammar.data.gene_peaks import Counted, Expression, Scaled
from cisgrammar.genome.candidates import Candidates

REACH = 1000
SETTINGS = {
    "heads": 4, "head_size": 2, "hidden": 6, "joined": 5, "wide": 8, "norm": "none",
    "distance": "decay", "dropout": 0.1, "wide_dropout": 0.1, "epochs": 4, "patience": 3,
    "batch_size": 4, "cells_per_step": None, "attention_rate": 0.01, "network_rate": 0.01,
    "weight_decay": 0.0, "target": "own_gene",
}  # fmt: skip


def made_gene_peaks(n_genes=30, n_cells=90, seed=1):
    """Give the data, the rows of the pairs that drive their gene, and the cells' types.

    Peaks of a gene are its promoter, then four candidates; those whose description starts with a
    high number drive the gene when they open.
    """
    rng = np.random.default_rng(seed)
    n_peaks = 5 * n_genes
    described = rng.normal(size=(n_peaks, 3)).astype(np.float32)
    types = np.repeat(["a", "b", "c"], n_cells // 3)
    rate = rng.uniform(0.1, 0.9, (3, n_peaks))[np.repeat(np.arange(3), n_cells // 3)]
    is_open = (rng.random((n_cells, n_peaks)) < rate).astype(np.uint8)
    promoters = np.arange(0, n_peaks, 5)
    peaks = np.setdiff1d(np.arange(n_peaks), promoters)
    genes = pd.DataFrame(
        {
            "gene": [f"g{i}" for i in range(n_genes)],
            "gene_name": [f"G{i}" for i in range(n_genes)],
            "chrom": [f"chr{1 + i % 3}" for i in range(n_genes)],
            "tss": 500, "strand": "+", "promoter": promoters,
        }
    )  # fmt: skip
    distances = np.tile([-400, -100, 100, 400], n_genes)
    candidates = Candidates(genes, np.arange(0, 4 * n_genes + 1, 4), peaks, distances)
    drives = described[peaks, 0] > 0.5
    effect = np.zeros((n_peaks, n_genes), np.float32)
    effect[peaks[drives], candidates.gene_of_pair[drives]] = 1
    effect[promoters, np.arange(n_genes)] = 0.5
    expression = (is_open - is_open.mean(axis=0)) @ effect
    expression = (expression / np.maximum(expression.std(axis=0), 1e-6)).astype(np.float32)
    noisy = expression + rng.normal(0, 0.5, expression.shape).astype(np.float32)
    known = Expression(
        expression, np.eye(n_genes, dtype=np.float32), sparse.csr_matrix(noisy),
        np.zeros(n_genes, np.float32), np.zeros((n_genes, n_genes), np.float32),
    )  # fmt: skip
    scaled = Scaled(Counted(sparse.csr_matrix(is_open)), n_peaks, torch.arange(n_cells), True)
    data = GenePeaks(candidates, torch.from_numpy(described), scaled, known, REACH)
    return data, drives, types


def parts_of(n, seed=0):
    """Deal rows to training, validation and test."""
    names = np.array(["train"] * 6 + ["validation"] * 2 + ["test"] * 2)
    return np.random.default_rng(seed).permutation(np.resize(names, n))


def made_peaks(data):
    """Give the places of the peaks, and what they are matched by."""
    n = len(data.embedding)
    rng = np.random.default_rng(3)
    chroms = np.repeat(data.candidates.genes["chrom"].to_numpy(), 5)
    places = pd.DataFrame(
        {"chrom": chroms, "start": 10 * np.arange(n), "end": 10 * np.arange(n) + 5},
        index=[f"p{i}" for i in range(n)],
    )
    return places, places.assign(accessibility=rng.random(n), gc=rng.random(n))
