"""What single bases around a TSS are worth in each population: every substitution in silico."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from anndata import AnnData

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, nearest
from cisgrammar.common.progress import progress
from cisgrammar.data.folds import TEST, rows_of
from cisgrammar.data.split import Inputs
from cisgrammar.genome.sequence import BASES, decode
from cisgrammar.models.abilities import Substitutes
from cisgrammar.models.base import SequenceModel, members_of

GENES_AT_ONCE = 8
Models = Iterable[tuple[int, SequenceModel]]


def named_genes(asked: Sequence[str], var: pd.DataFrame, key: str) -> list[str]:
    """Find genes by id or, where a column ``gene_name`` has it once, by name.

    Raises
    ------
    InputError
        If genes are not there, with all of them.
    """
    ids = dict(zip(var.index, var.index, strict=True))
    names = var.get("gene_name", pd.Series(dtype=object)).astype(str)
    once = names[~names.duplicated(keep=False)]
    by_name = dict(zip(once, once.index, strict=True))
    absent = [gene for gene in asked if gene not in ids and gene not in by_name]
    if absent:
        raise InputError(
            f"`{key}`: {len(absent):,} of {len(asked):,} genes are not among the "
            f"{len(var):,} that are learned ({examples(absent)}).{nearest(absent[0], list(ids))} "
            "They may lack a window, a CDS or counts: population_counts.tsv says why genes are "
            "left out."
        )
    return list(dict.fromkeys(ids.get(gene) or by_name[gene] for gene in asked))


def tested_genes(dataset: AnnData, folds: pd.DataFrame, n_folds: int) -> np.ndarray:
    """List the rows of the genes that are in the test part of one of the first folds."""
    return np.sort(np.concatenate([rows_of(folds, fold, TEST) for fold in range(n_folds)]))


def variable_genes(dataset: AnnData, n: int) -> list[str]:
    """List the genes whose expression varies most over populations of one level.

    The level is the one with the most populations. Where that has one alone, the list begins with
    the genes that come first.
    """
    expression = np.asarray(dataset[_finest(dataset.obs)].X, dtype=np.float64)
    order = np.argsort(-expression.var(axis=0), kind="stable")
    return dataset.var_names[order[:n]].tolist()


def _finest(obs: pd.DataFrame) -> np.ndarray:
    level = obs["level"].astype(str)
    return (level == level.value_counts(sort=False).idxmax()).to_numpy()


def mutate_genes(
    models: Models, dataset: AnnData, folds: pd.DataFrame, genes: Sequence[str], upstream: int
) -> AnnData:
    """Predict what every substitution in some genes' windows changes.

    Parameters
    ----------
    models
        Folds and their models; each gene is mutated by the members of the one that tests it.
    dataset, folds
        populations.h5ad and population_folds.tsv.
    genes
        Names; those that no fold tests are left out.
    upstream
        Bases before the TSS.

    Returns
    -------
    Positions x populations: X is the largest change in absolute value, in log10 units and with
    its sign; layers A, C, G and T: the change by that base. obs: gene, fold, position (0 is the
    TSS, along the gene), base.

    Notes
    -----
    Michielsen et al. (2024), "In-silico saturation mutagenesis".

    Raises
    ------
    InputError
        If no fold tests any of the genes.
    """
    obs, layers = [], []
    for gene, fold, codes, effects in _each(models, dataset, folds, genes):
        layers.append(effects.transpose(1, 2, 0))  # (4, positions, populations)
        position = np.arange(len(codes)) - upstream
        columns = {"gene": gene, "fold": fold, "position": position, "base": list(decode(codes))}
        obs.append(pd.DataFrame(columns, index=[f"{gene}:{place}" for place in position]))
    if not layers:
        raise InputError(
            f"mutagenesis: none of the {len(genes):,} genes ({examples(genes)}) is in the test "
            "part of a fold, so that every model has seen them. Name genes of the chromosomes that "
            "test (`folds.test_chromosomes`), or divide all genes into folds (`folds.n_folds`)."
        )
    together = np.concatenate(layers, axis=1)
    mutated = AnnData(largest(together), pd.concat(obs), pd.DataFrame(index=dataset.obs_names))
    for base, layer in zip(BASES, together, strict=True):
        mutated.layers[base] = layer
    return mutated


def effect_profile(
    models: Models, dataset: AnnData, folds: pd.DataFrame, genes: Sequence[str], upstream: int
) -> pd.DataFrame:
    """Average over genes how much the base at a position matters.

    Parameters
    ----------
    models, dataset, folds, genes, upstream
        As in :func:`mutate_genes`.

    Returns
    -------
    level, population, position (0 is the TSS), mean_effect: the largest change by a substitution
    in absolute value, averaged over genes; n_genes.
    """
    total, n = 0.0, 0
    for _, _, _, effects in _each(models, dataset, folds, genes):
        total = total + np.abs(largest(effects.transpose(1, 0, 2))).astype(np.float64)
        n += 1
    means = np.asarray(total) / n  # (populations, positions)
    return pd.DataFrame(
        {
            "level": np.repeat(dataset.obs["level"].astype(str).to_numpy(), means.shape[1]),
            "population": np.repeat(dataset.obs_names.to_numpy(), means.shape[1]),
            "position": np.tile(np.arange(means.shape[1]) - upstream, len(means)),
            "mean_effect": means.ravel(),
            "n_genes": n,
        }
    )


def largest(effects: np.ndarray) -> np.ndarray:
    """Take of the first axis, of bases, the value that is largest without its sign."""
    best = np.abs(effects).argmax(axis=0)
    return np.take_along_axis(effects, best[None], axis=0)[0]


def check_pairs(pairs: Sequence[Sequence[str]], known: pd.Index, key: str) -> None:
    """Raise an InputError if populations to compare are not there."""
    absent = [name for pair in pairs for name in pair if name not in known]
    if absent:
        raise InputError(
            f"`{key}` names {examples(absent)}, but populations are {examples(known)}."
            f"{nearest(absent[0], known)} Names are level/label, as in populations.h5ad; "
            "populations of few cells are left out."
        )


def compare_populations(
    mutated: AnnData, dataset: AnnData, pairs: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """Subtract the effects in one population from those in another.

    Parameters
    ----------
    mutated
        From :func:`mutate_genes`.
    dataset
        populations.h5ad.
    pairs
        Two populations each. Where none are named: for each gene those of the finest level in
        which it is expressed most and least.

    Returns
    -------
    gene, population, other, position, base, effect, other_effect (the largest in each), difference:
    of the substitution whose effects differ most.

    Notes
    -----
    Michielsen et al. (2024) subtract the largest effects, and that only where both have one sign. A
    site that one population uses and the other hardly, with the other sign, then shows no
    difference.
    """
    tables = []
    finest = dataset[_finest(dataset.obs)]
    for gene, places in mutated.obs.groupby("gene", sort=False, observed=True):
        its = mutated[places.index]
        here, by_base = its.to_df(), np.stack([its.layers[base] for base in BASES])
        expression = np.asarray(finest[:, gene].X).ravel()
        own = [(finest.obs_names[expression.argmax()], finest.obs_names[expression.argmin()])]
        for one, other in pairs or own:
            i, j = mutated.var_names.get_indexer([one, other])
            tables.append(
                places[["gene", "position", "base"]].assign(
                    population=one, other=other, effect=here[one].to_numpy(),
                    other_effect=here[other].to_numpy(),
                    difference=largest(by_base[..., i] - by_base[..., j]),
                )
            )  # fmt: skip
    columns = ["gene", "population", "other", "position", "base", "effect", "other_effect"]
    return pd.concat(tables, ignore_index=True)[[*columns, "difference"]]


def _each(
    models: Models, dataset: AnnData, folds: pd.DataFrame, genes: Sequence[str]
) -> Iterator[tuple[str, int, np.ndarray, np.ndarray]]:
    """Yield gene, fold, codes and effects ``(populations, 4, positions)``."""
    wanted = set(genes)
    for fold, model in models:
        tested = rows_of(folds, fold, TEST)
        rows = tested[[name in wanted for name in dataset.var_names[tested]]]
        batches = np.array_split(rows, -(-len(rows) // GENES_AT_ONCE)) if len(rows) else []
        for batch in progress(batches, f"fold {fold}, batches"):
            inputs = model.read_inputs(dataset[:, batch])
            codes = inputs.codes.numpy()
            effects = _effects(model, inputs).numpy()
            for gene, sequence, its in zip(dataset.var_names[batch], codes, effects, strict=True):
                yield gene, fold, sequence, its


@torch.no_grad()
def _effects(model: SequenceModel, inputs: Inputs) -> torch.Tensor:
    """Average what substitutions change over members: ``(genes, populations, 4, positions)``."""
    n_bases, effects = inputs.codes.shape[1], []
    for member, weight in members_of(model):
        assert isinstance(member, Substitutes)
        effect = member.eval().substitution_effects(inputs, 0, n_bases)
        effects.append(weight[:, None, None] * effect)
    return torch.stack(effects).sum(dim=0)
