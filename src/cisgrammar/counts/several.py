"""Several files of counts as one, each a batch."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anndata as ad
import pandas as pd

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import examples, share
from cisgrammar.counts.carried import writable
from cisgrammar.counts.labels import natural_order
from cisgrammar.counts.one import read_counts

logger = logging.getLogger(__name__)

LEAST_COMMON = 0.1


def read_files(
    files: str | Path | Sequence[str | Path],
    *,
    batches: Sequence[str] | None = None,
    join: str = "inner",
    **settings: Any,
) -> ad.AnnData:
    """Read one file, or several with a batch name each.

    Parameters
    ----------
    files
        One file without, and as many as there are ``batches`` with them.
    batches
        Names of the files.
    join, settings
        As for :func:`read_several`.
    """
    if batches is None:
        return read_counts(files, **settings)  # type: ignore[arg-type]
    return read_several(dict(zip(batches, files, strict=True)), join=join, **settings)  # type: ignore[arg-type]


def read_several(
    paths: Mapping[str, str | Path], *, join: str = "inner", **settings: Any
) -> ad.AnnData:
    """Read files one after another and put their cells together.

    Parameters
    ----------
    paths
        File by batch name.
    join
        ``inner`` keeps the genes that all files have; ``outer`` keeps all, with
        0 where a file does not have a gene.
    settings
        As for :func:`cisgrammar.counts.read_counts`, the same for all files.

    Returns
    -------
    As from :func:`cisgrammar.counts.read_counts`; ``batch`` is the file's name
    for it, unless ``batch`` names a column, and the batch is added to the names
    of cells.

    Raises
    ------
    InputError
        With the problems of all files; or if they have too few genes in common.
    """
    if join not in ("inner", "outer"):
        raise ValueError(f"join must be inner or outer, not {join!r}")
    problems = Problems()
    parts = {}
    for batch, path in paths.items():
        try:
            parts[batch] = read_counts(path, **settings)
        except InputError as error:
            problems.add(str(error))
    problems.raise_if_any()
    genes = {batch: part.var_names for batch, part in parts.items()}
    common = set.intersection(*(set(names) for names in genes.values()))
    smallest = min(genes, key=lambda batch: len(genes[batch]))
    if share(len(common), len(genes[smallest])) < LEAST_COMMON:
        raise InputError(
            f"{paths[smallest]}: of its {len(genes[smallest]):,} genes ({examples(genes[smallest])}"
            f") only {len(common):,} are in all {len(parts)} files: "
            f"{'; '.join(f'{b}: {examples(names)}' for b, names in genes.items())}. The files name "
            "genes differently, or are of different species: use files from one source, or set "
            "`counts.gene_column`."
        )
    for batch, part in parts.items():
        if settings.get("batch") is None:
            part.obs["batch"] = batch
        part.obs_names = [f"{name}-{batch}" for name in part.obs_names]
        if join == "inner" and part.n_vars > len(common):
            logger.warning("%s: %d of its %d genes are not in all files: dropped",
                        paths[batch], part.n_vars - len(common), part.n_vars)  # fmt: skip
    joined = ad.concat(list(parts.values()), join=join, merge="first", fill_value=0)
    joined.X = joined.X.tocsr()
    joined.X.sort_indices()
    joined.obs, joined.var = (
        writable(", ".join(map(str, paths.values())), table) for table in (joined.obs, joined.var)
    )
    for column in ("cell_type", "batch"):
        values = joined.obs[column].astype(str)
        joined.obs[column] = pd.Categorical(
            values, categories=sorted(values.unique(), key=natural_order)
        )
    return joined
