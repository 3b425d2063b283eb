"""Simulated populations: how near predictions come to what can be told, and where they gain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.cells.populations import ALL_CELLS
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.statistics import pearson
from cisgrammar.evaluate.population_scores import tissue_of

BOOTSTRAPS = 500
FOUND = 0.95  # a site is found if its rank among the rest of the window is above this
ITS_OWN, OTHERS, NO_CLASS = "of its class", "of other classes", "of no class"


def tellable(expectation: AnnData, level: str, label: str) -> np.ndarray:
    """Average what features and motifs tell over a population's cell types: log10, ``(genes,)``.

    Parameters
    ----------
    expectation
        Cell types x genes; obs ``class`` and ``share``, layer ``predictable``.
    level, label
        Of the population: ``all_cells``, ``class`` or ``cell_type``.
    """
    types = of_population(expectation, level, label)
    share = expectation.obs["share"].to_numpy(dtype=float)[types]
    return np.log10(share @ np.asarray(expectation.layers["predictable"])[types] / share.sum())


def of_population(expectation: AnnData, level: str, label: str) -> np.ndarray:
    """Say which cell types are in a population, bool ``(cell types,)``."""
    if level == ALL_CELLS:
        return np.ones(expectation.n_obs, dtype=bool)
    named = expectation.obs["class"] if level == "class" else expectation.obs_names
    return np.asarray(named.astype(str) == label)


def compare_populations(
    dataset: AnnData, predictions: AnnData, genes: pd.DataFrame, expectation: AnnData, seed: int
) -> pd.DataFrame:
    """Compare predictions with the truth: of all genes, and of those that bear motifs of a class.

    Parameters
    ----------
    dataset
        populations.h5ad.
    predictions
        Populations x genes that were held out.
    genes
        ``truth/genes.tsv``, indexed by gene: ``specific_to``, classes with ``;`` between them.
    expectation
        ``truth/expectation.h5ad``.
    seed
        Of the bootstrap.

    Returns
    -------
    population, level, label, genes (``all``; those that bear a motif of the population's class;
    of other classes only; of none), n_genes, r, tissue_r, ceiling (r of what can be told at all),
    share (r as a share of it), gain (how much lower the mean squared error is than that of the
    tissue's model, as a share of the latter, each prediction shifted to the genes' mean),
    gain_low, gain_high (95% bootstrap interval over genes), told_gain: the gain of what can be told
    of the population over what can be told of the tissue.
    """
    rng = np.random.default_rng(derive_seed(seed, "gain"))
    names = predictions.var_names
    observed = np.asarray(dataset[:, names].X, dtype=np.float64)
    predicted = np.asarray(predictions.X, dtype=np.float64)
    truth, bears = expectation[:, names], genes.loc[names, "specific_to"].fillna("").astype(str)
    tops = dataset.obs_names.get_indexer(tissue_of(dataset.obs))
    rows = []
    for i, (name, row) in enumerate(dataset.obs.iterrows()):
        level, label = str(row["level"]), str(row["label"])
        types = of_population(truth, level, label)
        if not types.any():
            continue
        can_tell = tellable(truth, level, label)
        top = dataset.obs.iloc[tops[i]]
        of_tissue = tellable(truth, str(top["level"]), str(top["label"]))
        for group, chosen in _groups(bears, set(truth.obs["class"].astype(str)[types])).items():
            if chosen.sum() < 3:
                continue
            seen, own, tissue = (x[chosen] for x in (observed[i], predicted[i], predicted[tops[i]]))
            told = own, tissue, can_tell[chosen]
            r, tissue_r, ceiling = (float(pearson(seen, x)) for x in told)
            gain = _gains(seen - own, seen - tissue, rng)
            told_gain = _gain(seen - can_tell[chosen], seen - of_tissue[chosen])
            about = (name, level, label, group, int(chosen.sum()))
            rows.append((*about, r, tissue_r, ceiling, r / ceiling, *gain, told_gain))
    columns = ["population", "level", "label", "genes", "n_genes"]
    columns += ["r", "tissue_r", "ceiling", "share", "gain", "gain_low", "gain_high", "told_gain"]
    return pd.DataFrame(rows, columns=columns)


def _gain(errors: np.ndarray, others: np.ndarray) -> float:
    """Say how much lower the variance of errors is than that of others; NaN if these are none."""
    its = others.var()
    return float(1 - errors.var() / its) if its > 0 else np.nan


def _gains(
    errors: np.ndarray, others: np.ndarray, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Say how much lower the variance of errors is than that of others, with its interval."""
    draws = rng.integers(len(errors), size=(BOOTSTRAPS, len(errors)))
    gains = [_gain(errors[rows], others[rows]) for rows in draws]
    low, high = np.nanquantile(gains, (0.025, 0.975)) if others.var() > 0 else (np.nan, np.nan)
    return _gain(errors, others), float(low), float(high)


def _groups(bears: pd.Series, classes: set[str]) -> dict[str, np.ndarray]:
    """Part genes by the classes whose motifs they bear; one class makes a population specific."""
    groups = {"all": np.ones(len(bears), dtype=bool)}
    if len(classes) == 1:
        (its_class,) = classes
        own = np.array([its_class in text.split(";") for text in bears], dtype=bool)
        none = (bears == "").to_numpy()
        groups |= {ITS_OWN: own, OTHERS: ~own & ~none, NO_CLASS: none}
    return groups


def rank_sites(effects: AnnData, sites: pd.DataFrame) -> pd.DataFrame:
    """Rank what substitutions do in each planted site among the rest of its gene's window.

    Parameters
    ----------
    effects
        Positions x populations (:func:`cisgrammar.interpret.gene_mutagenesis.mutate_genes`).
    sites
        ``truth/sites.tsv``: gene, motif, start in the window, sequence.

    Returns
    -------
    gene, motif, start, population, effect (mean over the site's bases of the largest change, in
    absolute value), rank: the share of stretches as wide, of those that touch no planted site, in
    which it is smaller. By chance ranks are even between 0 and 1.
    """
    size, tables = np.abs(np.asarray(effects.X, dtype=np.float64)), []
    of_gene = {str(gene): its for gene, its in sites.groupby("gene", sort=False)}
    for gene, rows in effects.obs.reset_index(drop=True).groupby("gene", sort=False, observed=True):
        its = of_gene.get(str(gene), sites.iloc[:0])
        ends = its["start"] + its["sequence"].str.len()
        planted = np.zeros(len(rows), dtype=bool)
        for start, end in zip(its["start"], ends, strict=True):
            planted[start:end] = True
        for site, end in zip(its.itertuples(), ends, strict=True):
            width = end - site.start
            means = _of_stretches(size[rows.index], width)
            elsewhere = means[_of_stretches(planted[:, None], width)[:, 0] == 0]
            effect = means[site.start]
            tables.append(
                pd.DataFrame(
                    {
                        "gene": gene,
                        "motif": site.motif,
                        "start": site.start,
                        "population": effects.var_names,
                        "effect": effect,
                        "rank": (elsewhere < effect).mean(axis=0),
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def found_motifs(
    ranks: pd.DataFrame, kinds: pd.DataFrame, populations: pd.DataFrame
) -> pd.DataFrame:
    """Count the planted sites that substitutions show, motif by motif, population by population.

    Parameters
    ----------
    ranks
        From :func:`rank_sites`.
    kinds
        ``truth/activities.tsv``, indexed by motif: place, class (empty acts in all).
    populations
        obs of populations.h5ad: level, label.

    Returns
    -------
    motif, place, class, population, acts (whether it does anything there), n_sites, found (share
    of the sites whose rank is above .95), by_chance (.05), median_rank, median_effect.
    """
    by = ranks.groupby(["motif", "population"], sort=False, observed=True)
    table = by.agg(
        n_sites=("rank", "size"),
        found=("rank", lambda rank: (rank > FOUND).mean()),
        median_rank=("rank", "median"),
        median_effect=("effect", "median"),
    ).reset_index()
    about = kinds.loc[table["motif"], ["place", "class"]].fillna("").reset_index(drop=True)
    where = populations.loc[table["population"], ["level", "label"]].astype(str)
    everywhere = (about["class"] == "").to_numpy() | (where["level"] == ALL_CELLS).to_numpy()
    table["acts"] = everywhere | (where["label"].to_numpy() == about["class"].to_numpy())
    table["by_chance"] = 1 - FOUND
    table = pd.concat([about, table], axis=1)
    return table[
        ["motif", "place", "class", "population", "acts", "n_sites", "found", "by_chance",
         "median_rank", "median_effect"]
    ]  # fmt: skip


def _of_stretches(values: np.ndarray, width: int) -> np.ndarray:
    """Average every stretch of so many rows: ``(rows - width + 1, columns)``."""
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), values]), axis=0)
    return (sums[width:] - sums[:-width]) / width


def draw_genes(genes: Sequence[str], n: int, seed: int) -> list[str]:
    """Draw some of the genes, in their order; all where there are no more."""
    rng = np.random.default_rng(derive_seed(seed, "planted sites"))
    chosen = rng.permutation(len(genes))[:n]
    return [genes[i] for i in np.sort(chosen)]
