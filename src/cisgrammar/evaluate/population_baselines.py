"""What a model of populations has to beat: features, their absence, and k-mers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.evaluate.baselines import FoldData, predict, ridge_regression

MEAN, FEATURES, FLAGS, KMERS = "mean", "features", "flags", "kmer_ridge"
BOTH = "kmers_and_features"
BASELINES = (FEATURES, FLAGS, KMERS, BOTH)


def predict_baselines(
    dataset: AnnData, folds: pd.DataFrame, fold: int, seed: int, **kmers: object
) -> AnnData:
    """Fit each baseline on a fold's training genes, and predict its test genes.

    Parameters
    ----------
    dataset, folds
        populations.h5ad and population_folds.tsv.
    fold
        Which.
    seed
        Of the choice of k-mers.
    kmers
        ``k``, ``both_strands`` and ``bins``, as in the config; those left out are chosen.

    Returns
    -------
    Populations x test genes; a layer for each of ``BASELINES`` that the data allow: ``features``
    is ridge regression on half-life features, missing ones being the mean of the training genes,
    and on which of them are missing; ``flags`` is on nothing but the latter; ``kmer_ridge`` on
    k-mer counts; ``kmers_and_features`` adds to ``features`` what k-mer ridge tells of the rest.
    X is the mean training gene.
    """
    data = FoldData.of_fold(dataset, folds, fold, seed=seed)
    test = dataset[:, data.test]
    features = np.asarray(dataset.varm["features"], dtype=np.float64)
    missing = np.isnan(features)
    flags = missing[:, missing[data.train].any(axis=0)].astype(np.float64)
    layers = {KMERS: predict(KMERS, data, **kmers)}
    if features.shape[1]:
        read = np.concatenate([standardised(features, data.train), flags], axis=1)
        told = ridge_regression(read, replace(data, test=np.arange(len(read))))
        rest = replace(data, targets=(data.targets - told).astype(np.float32))
        layers[FEATURES] = told[data.test]
        layers[BOTH] = told[data.test] + predict(KMERS, rest, **kmers)
    if flags.shape[1]:
        layers[FLAGS] = ridge_regression(flags, data)
    layers = {name: values.T.astype(np.float32) for name, values in layers.items()}
    return AnnData(predict(MEAN, data).T, obs=test.obs[[]], var=test.var[[]], layers=layers)


def standardised(features: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Scale features by mean and standard deviation of the training genes; missing become 0.

    Parameters
    ----------
    features
        ``(genes, features)``, NaN where missing.
    train
        Rows of the training genes: the only ones that are looked at.
    """
    of_train = features[train]
    known = ~np.isnan(of_train)
    n = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, of_train, 0).sum(axis=0) / n
    variance = np.where(known, (of_train - mean) ** 2, 0).sum(axis=0) / n
    sd = np.sqrt(variance)
    return np.nan_to_num((features - mean) / np.where(sd > 0, sd, 1))
