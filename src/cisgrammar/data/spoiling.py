"""What a model learns when there is nothing to learn: shuffled sequences, permuted pools."""

from __future__ import annotations

import numpy as np
from anndata import AnnData

from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.shuffling import shuffle_dinucleotides, shuffle_nucleotides


def permute_pools(targets: np.ndarray, seed: int) -> np.ndarray:
    """Permute the targets of each gene, each gene in its own way.

    A gene keeps its level and loses its pattern over cell types.

    Parameters
    ----------
    targets
        ``(genes, pools)``.
    seed
        Seed of the permutations.

    Returns
    -------
    A new array of the same shape.
    """
    rng = np.random.default_rng(derive_seed(seed, "permute_pools"))
    return rng.permuted(targets, axis=1)


RETRAINED = ("shuffled_nucleotides", "shuffled_dinucleotides", "permuted_pools")


def spoil(dataset: AnnData, control: str, seed: int) -> AnnData:
    """Take away what a model could learn from.

    Parameters
    ----------
    dataset
        dataset.h5ad: targets x sequences, with ``varm["codes"]``.
    control
        One of ``RETRAINED``.
    seed
        Seed of shuffle or permutation.

    Returns
    -------
    A copy with shuffled sequences or permuted targets, those of the test part too: a model is
    trained and tested on the spoiled data.
    """
    codes, targets = dataset.varm["codes"], dataset.X.T
    if control == "permuted_pools":
        targets = permute_pools(targets, seed)
    else:
        shuffle = {
            "shuffled_nucleotides": shuffle_nucleotides,
            "shuffled_dinucleotides": shuffle_dinucleotides,
        }[control]
        codes = shuffle(codes, seed)
    return AnnData(
        np.ascontiguousarray(targets.T),
        obs=dataset.obs[[]],
        var=dataset.var[[]],
        varm={"codes": codes},
    )
