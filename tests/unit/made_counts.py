"""Counts written by the tests in every format, always the same four cells and three genes."""

import warnings

import anndata as ad
import h5py
import mudata
import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse as sp
from made_inputs import write

DENSE = np.array([[1, 0, 3], [0, 0, 5], [2, 4, 0], [7, 0, 0]], np.float32)  # cells x genes
CELLS = ["c0", "c1", "c2", "c3"]
IDS, NAMES = ["ENSG0", "ENSG1", "ENSG2"], ["A", "B", "C"]


def annotated(x=DENSE, names=NAMES, **obs):
    return ad.AnnData(x, pd.DataFrame(obs, index=CELLS), pd.DataFrame({"id": IDS}, index=names))


def write_h5ad(path, adata):
    adata.write_h5ad(path)
    return path


def write_h5mu(path, **modalities):
    """Write as muon does: its words stand before the HDF5."""
    with mudata.set_options(pull_on_update=False), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that two modalities share
        mudata.MuData(modalities).write_h5mu(path)
    return path


def write_zarr(path, adata, version=3):
    with warnings.catch_warnings(), ad.settings.override(zarr_write_format=version):
        warnings.simplefilter("ignore")
        adata.write_zarr(path)
    return path


def write_10x_h5(path, types=("Gene Expression",) * 3, legacy=False):
    """Write as Cell Ranger does: features x cells, column-compressed."""
    stored = sp.csc_matrix(DENSE.T.astype(np.int32))
    with h5py.File(path, "w") as file:
        group = file.create_group("GRCh38" if legacy else "matrix")
        for key in ("data", "indices", "indptr"):
            group[key] = getattr(stored, key)
        group["shape"] = stored.shape
        group["barcodes"] = np.array(CELLS, "S")
        group["genes" if legacy else "features/id"] = np.array(IDS, "S")
        group["gene_names" if legacy else "features/name"] = np.array(NAMES, "S")
        if not legacy:
            group["features/feature_type"] = np.array(types, "S")
    return path


def write_10x_mtx(folder, end="", prefix="", features="features", columns=3):
    folder.mkdir(exist_ok=True)
    scipy.io.mmwrite(folder / "m.mtx", sp.coo_matrix(DENSE.T.astype(int)))
    write(folder / f"{prefix}matrix.mtx{end}", (folder / "m.mtx").read_bytes())
    (folder / "m.mtx").unlink()
    rows = zip(IDS, NAMES, ["Gene Expression"] * 3, strict=True)
    table = "".join("\t".join(row[:columns]) + "\n" for row in rows)
    write(folder / f"{prefix}{features}.tsv{end}", table)
    write(folder / f"{prefix}barcodes.tsv{end}", "\n".join(CELLS) + "\n")
    return folder


def write_loom(path):
    """Write as loom's specification says: genes x cells, dense."""
    with h5py.File(path, "w") as file:
        file["matrix"] = np.log1p(DENSE.T)
        file["layers/counts"] = DENSE.T
        file["row_attrs/Gene"] = np.array(NAMES, "S")
        file["row_attrs/Accession"] = np.array(IDS, "S")
        file["col_attrs/CellID"] = np.array(CELLS, "S")
        file["col_attrs/label"] = np.array(list("abab"), "S")
    return path


def write_table(path, separator="\t", corner="gene", names=NAMES):
    header = [corner, *CELLS] if corner is not None else CELLS
    rows = [[name, *map(str, row)] for name, row in zip(names, DENSE.T.astype(int), strict=True)]
    text = "\n".join(separator.join(row) for row in [header, *rows]) + "\n"
    return write(path, text)


def h5ad(x):
    return lambda d: write_h5ad(d / "a.h5ad", annotated(x))
