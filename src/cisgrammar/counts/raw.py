"""What every reader of counts hands back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from cisgrammar.common.errors import InputError

logger = logging.getLogger(__name__)

FEATURE_TYPES = {"rna": "Gene Expression", "atac": "Peaks"}  # as Cell Ranger calls them


@dataclass
class RawCounts:
    """A count matrix as it is in its file.

    Attributes
    ----------
    format
        What the file turned out to be.
    obs, var
        One row per cell, per gene.
    numbers
        The values of the matrix, or a sample of them: ``(n,)``.
    matrix
        CSR, cells x genes; None when only a sample was asked for.
    integer_matrices
        Other matrices of the file that hold integers, looked up only when the
        one asked for does not.
    """

    format: str
    obs: pd.DataFrame
    var: pd.DataFrame
    numbers: np.ndarray
    matrix: sp.csr_matrix | None = None
    integer_matrices: list[str] = field(default_factory=list)


def features_of(path: Path, feature_types: np.ndarray, modality: str | None) -> np.ndarray:
    """Choose the features of one modality.

    Parameters
    ----------
    path
        The file, for messages.
    feature_types
        As Cell Ranger names them: ``(features,)``.
    modality
        ``rna`` or ``atac``; None takes genes where there are any, else all.

    Returns
    -------
    Which features to keep: bool ``(features,)``.

    Raises
    ------
    InputError
        If there is none of the modality.
    """
    there = list(dict.fromkeys(feature_types))
    if modality is None:
        if FEATURE_TYPES["rna"] not in there:
            return np.ones(len(feature_types), bool)
        modality = "rna"
    keep = feature_types == FEATURE_TYPES.get(modality, modality)
    if not keep.any():
        raise InputError(
            f"{path}: there are no features of the modality `{modality}`; their types are "
            f"{', '.join(there)}. Set `counts.modality` to `rna` (Gene Expression) or `atac` "
            "(Peaks), or leave it out."
        )
    if not keep.all():
        logger.info("%s: %d of %d features are %s", path, keep.sum(), len(keep), modality)
    return keep
