"""What bases contribute to a label's prediction: the numbers, and their file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from cisgrammar.common.files import own_hdf5, whole_file
from cisgrammar.genome.sequence import N

ARRAYS = ("hypothetical", "contributions", "codes", "chance")
WHAT = ("method", "label", "minus")


@dataclass(frozen=True)
class Attributions:
    """What each base contributes to a label's prediction, or to the difference of two.

    Parameters
    ----------
    windows
        Indexed by sequence: gene_name where the data have it, chrom, start, end, strand, fold
        (whose model was asked; empty with several), prediction, and with DeepLIFT baseline, the
        mean prediction of the references.
    codes
        uint8 ``(sequences, length)``, along the strand that the model reads.
    hypothetical
        float32 ``(sequences, 4, length)``, rows A, C, G, T: what each base would contribute. NaN
        outside of the regions that were asked for.
    chance
        What bases contribute in shuffled sequences, ``(shuffled, length)``.
    method
        ``ism``, ``gradient`` or ``deeplift``.
    label, minus
        Whose prediction, and whose is subtracted; None for the mean of all, and for nothing.
    """

    windows: pd.DataFrame
    codes: np.ndarray
    hypothetical: np.ndarray
    chance: np.ndarray
    method: str
    label: str | None
    minus: str | None

    @property
    def contributions(self) -> np.ndarray:
        """What the bases that stand there contribute, ``(sequences, length)``."""
        return actual(self.hypothetical, self.codes)

    @property
    def title(self) -> str:
        """Name the label or the difference."""
        label = "mean of all" if self.label is None else self.label
        return label if self.minus is None else f"{label} - {self.minus}"


def actual(hypothetical: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Read off what the bases that stand there contribute.

    Parameters
    ----------
    hypothetical
        ``(sequences, 4, length)``, from a function of
        :mod:`cisgrammar.interpret.attributions`.
    codes
        uint8 ``(sequences, length)``.

    Returns
    -------
    ``(sequences, length)``, 0 at an N.
    """
    known = np.minimum(codes, 3).astype(np.int64)
    own = np.take_along_axis(hypothetical, known[:, None], axis=1)[:, 0]
    return np.where((codes == N) & ~np.isnan(own), 0, own)


def write_contributions(attributions: Attributions, path: str | Path) -> None:
    """Write HDF5: ``hypothetical``, ``contributions``, ``codes``, ``chance``, and all columns.

    ``sequence`` and the columns of ``windows`` have a row for each sequence; attributes are
    ``method``, ``label`` and ``minus``.
    """
    windows = attributions.windows.rename_axis("sequence").reset_index()
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        for name in WHAT:
            file.attrs[name] = getattr(attributions, name) or ""
        for name in ARRAYS:
            data = getattr(attributions, name)
            chunks = (1, *data.shape[1:]) if data.size else None
            file.create_dataset(name, data=data, chunks=chunks, compression="gzip", shuffle=True)
        for name, column in windows.items():
            if pd.api.types.is_numeric_dtype(column):
                file.create_dataset(str(name), data=column.to_numpy())
            else:
                texts = column.astype(str).to_numpy(dtype=object)
                file.create_dataset(str(name), data=texts, dtype=h5py.string_dtype())


def read_contributions(path: str | Path) -> Attributions:
    """Read what :func:`write_contributions` wrote.

    Raises
    ------
    InputError
        If the file is cut short or damaged.
    """
    with own_hdf5(path, "the file of attributions"), h5py.File(path) as file:
        columns = {
            name: data.asstr()[:] if h5py.check_string_dtype(data.dtype) else data[:]
            for name, data in file.items()
            if name not in ARRAYS
        }
        windows = pd.DataFrame(columns).set_index("sequence")
        codes, hypothetical, chance = (
            file[name][:] for name in ("codes", "hypothetical", "chance")
        )
        method, label, minus = (file.attrs[name] for name in WHAT)
    return Attributions(windows, codes, hypothetical, chance, method, label or None, minus or None)


def motif_names(seqlets: pd.DataFrame) -> pd.Series:
    """Join both names of each seqlet's motif; empty where there is none."""
    names = seqlets[["motif", "alt"]].fillna("").astype(str)
    return (names["motif"] + " " + names["alt"]).str.strip()
