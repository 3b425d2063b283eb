"""Awkward data sets: either `snakemake check` refuses in words, or the whole run ends.

``make fault-test`` takes all of them (``CISGRAMMAR_AWKWARD=all``), an hour on two cores; else a few
that differ most.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
from made_counts import write_zarr
from made_inputs import write

N = 60  # cells, and genes
IDS = [f"ENSG{g:011d}" for g in range(N)]
NAMES = ["SP1", "NRF1", "KLF4", *(f"Gene{g}" for g in range(3, N))]
CONFIG: dict[str, Any] = {
    "name": "odd",
    "models": ["scover"],
    "counts": {"path": "cells.h5ad", "cell_type": "kind"},
    "genome": {"fasta": "genome.fa", "gtf": "genes.gtf"},
    "cells": {"n_pcs": 8},
    "pools": {"n_pools": 12, "cells_per_pool": 6, "n_pcs": 6},
    "regions": {"upstream": 100, "downstream": 60},
    "dataset": {"min_detected": 0.01, "weak_detected": 0.02},
    "folds": {"n_folds": 2},
    "scover": {"network": {"filters": 4}, "search": {"batch_size": [16]}},
    "tuning": {"trials": 1, "epochs": 1},
    "training": {"epochs": 1, "patience": 1, "device": "cpu"},
    "motifs": {"min_sequences": 2},
    "comparison": {"k": 2, "trees": 2},
}


class Data:
    """Sound data of one kind, for a case to change before they are written."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(1)
        self.folder, self.config = folder, copy.deepcopy(CONFIG)
        self.kind = np.array(["A", "B", "C"] * (N // 3))
        mean = rng.gamma(2, 2, N) * np.ones((N, 1))
        mean[self.kind == "A", ::3] *= 4
        mean[self.kind == "B", 1::3] *= 4
        counts = sp.csr_matrix(rng.poisson(mean).astype(np.float32))
        cells = pd.DataFrame({"kind": self.kind}, [f"CELL{i}" for i in range(N)])
        self.counts = ad.AnnData(counts, cells, pd.DataFrame(index=IDS))
        self.genome = {f"chr{c}": "".join(rng.choice(list("ACGT"), 40000)) for c in (1, 2)}
        self.genes = [self.row(g, IDS[g], NAMES[g]) for g in range(N)]
        self.written = False

    @staticmethod
    def row(g: int, gene_id: str, name: str, chrom: str = "") -> str:
        start, chrom = 1000 + 600 * g, chrom or f"chr{1 + g % 2}"
        return (
            f"{chrom}\tx\tgene\t{start}\t{start + 300}\t.\t+\t.\t"
            f'gene_id "{gene_id}"; gene_name "{name}"; gene_biotype "protein_coding";\n'
        )

    def label(self, *labels: object) -> None:
        self.counts.obs["kind"] = [labels[i % len(labels)] for i in range(N)]

    def table(self, text: str | bytes, **keys: str) -> None:
        del self.counts.obs["kind"]
        write(self.folder / "cells.csv", text)
        self.config["counts"] |= {"cell_table": "cells.csv", **keys}

    def write(self) -> None:
        if not self.written:
            self.counts.write_h5ad(self.folder / "cells.h5ad")
        fasta = "".join(f">{name}\n{bases}\n" for name, bases in self.genome.items())
        write(self.folder / "genome.fa", fasta)
        write(self.folder / "genes.gtf", "".join(self.genes))


def table_of(data: Data, *labels: str, end: str = "\n") -> str:
    rows = [f"{cell},{labels[i % len(labels)]}" for i, cell in enumerate(data.counts.obs_names)]
    return end.join(["cell,kind", *rows, ""])


def rename_genes(data: Data, change: Callable[[str], str]) -> None:
    data.counts.var_names = [change(name) for name in data.counts.var_names]


def number_everything(data: Data) -> None:
    data.label("NA", "01", "1.10")
    data.counts.obs["batch"] = ["NA", "1.0"] * (N // 2)
    data.counts.obs_names = [f"{i:03d}" for i in range(N)]
    data.counts.var_names = [f"{g:05d}" for g in range(N)]
    data.genes = [data.row(g, f"{g:05d}", NAMES[g]) for g in range(N)]
    data.config["counts"]["batch"] = "batch"


def odd_columns(data: Data) -> None:
    obs = data.counts.obs
    obs["clusters"] = pd.Categorical(np.arange(N) % 4)
    obs["maybe"] = pd.array([None, True] * (N // 2), dtype="boolean")
    obs.index.name = "barcode"
    data.counts.uns["nested"] = {"a": {"b": [1, 2]}}
    data.counts.obsm["X_old"] = np.zeros((N, 2))


def two_files(data: Data) -> None:
    for batch, plate in (("NO", ["1", "a"] * (N // 2)), ("SE", range(N))):
        data.counts.obs["plate"] = list(plate)
        data.counts.write_h5ad(data.folder / f"{batch}.h5ad")
    data.config["counts"]["path"] = {"NO": "NO.h5ad", "SE": "SE.h5ad"}


def seurat_disk(data: Data) -> None:
    """Genes are in a column called as anndata calls its index."""
    import h5py
    from anndata.io import write_elem

    data.counts.raw = data.counts.copy()
    data.counts.write_h5ad(data.folder / "cells.h5ad")
    with h5py.File(data.folder / "cells.h5ad", "a") as file:
        del file["raw/var"]
        var = file.create_group("raw/var")
        kind = {"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "index"}
        var.attrs.update(kind)
        order = np.array(["_index"], dtype=object)
        var.attrs.create("column-order", order, dtype=h5py.string_dtype())
        write_elem(var, "index", np.array([str(i) for i in range(N)], dtype=object))
        write_elem(var, "_index", np.array(IDS, dtype=object))
    data.config["counts"] |= {"matrix": "raw", "gene_column": "_index"}
    data.written = True


def zarr_folder(data: Data) -> None:
    write_zarr(data.folder / "cells.zarr", data.counts)
    data.config["counts"]["path"] = "cells.zarr"


def mtx(data: Data, header: str = "") -> None:
    run = data.folder / "run"
    run.mkdir()
    scipy.io.mmwrite(run / "matrix.mtx", sp.coo_matrix(data.counts.X.T.astype(int)))
    rows = [f"{i}\t{n}\tGene Expression\n" for i, n in zip(IDS, NAMES, strict=True)]
    write(run / "features.tsv.gz", header + "".join(rows))
    write(run / "barcodes.tsv.gz", "".join(f"{cell}\n" for cell in data.counts.obs_names))
    data.table(table_of(data, "x", "y"))
    data.config["counts"]["path"] = "run"


def tsv(data: Data, end: str = "\r\n") -> None:
    frame = data.counts.to_df().astype(int).T
    lines = ["\t".join(["gene", *frame.columns])]
    lines += [
        "\t".join([name, *map(str, row)]) for name, row in zip(IDS, frame.values, strict=True)
    ]
    write(data.folder / "counts.tsv.gz", end.join(lines) + end)
    data.table(table_of(data, "x", "y", end=end))
    data.config["counts"]["path"] = "counts.tsv.gz"


def dense_with_nothing_in_it(data: Data) -> None:
    dense = data.counts.X.toarray().astype(np.int64)
    dense[5] = 0
    dense[:, 7] = 0
    data.counts.X = dense


def haplotypes(data: Data) -> None:
    extra = [data.row(g, f"ENSG9{g:010d}", NAMES[g], f"HSCHR{g}_CTG1") for g in range(9)]
    data.genes += [*extra, data.row(3, f"{IDS[3]}_PAR_Y", NAMES[3], "chrY")]


def transposed(data: Data) -> None:
    cells = pd.DataFrame({"kind": data.kind}, IDS)
    data.counts = ad.AnnData(data.counts.X.T.tocsr(), cells, data.counts.obs[[]])


def rare_batch(data: Data) -> None:
    data.counts.obs["run"] = ["rare", *["common"] * (N - 1)]
    data.config["counts"]["batch"] = "run"


def several_of_one_name(data: Data) -> None:
    names = data.counts.var_names.to_list()
    names[1], names[2] = names[0], names[0]
    data.counts.var_names = names


CASES: dict[str, Callable[[Data], None]] = {
    "numbers": number_everything,
    "two files": two_files,
    "SeuratDisk": seurat_disk,
    "Latin-1": lambda d: d.table(table_of(d, "Müller glia", "B").encode("latin-1")),
    "barnyard": lambda d: rename_genes(d, lambda name: f"GRCh38_{name}"),
    "columns": odd_columns,
    "nothing": lambda d: d.label("nan", "None", "NaN"),
    "UTF-8": lambda d: d.table("\ufeff" + table_of(d, "γδ T", "Müller glia")),
    "signs": lambda d: d.label("_a", "$b$ <c> & d", "e/f|g; h"),
    "long": lambda d: d.label("a" * 300, "b", "c"),
    "numbers of clusters": lambda d: d.label(1.0, 2.0, 1.5),
    "truth values": lambda d: d.label(True, False),
    "missing labels": lambda d: d.label("A", None, "B"),
    "one type": lambda d: d.label("A"),
    "a type a cell": lambda d: d.label(*[f"type {i}" for i in range(N)]),
    "zarr": zarr_folder,
    "mtx": mtx,
    "mtx with a header": lambda d: mtx(d, "id\tname\ttype\n"),
    "TSV with CRLF": tsv,
    "dense": dense_with_nothing_in_it,
    "transposed": transposed,
    "haplotypes": haplotypes,
    "a rare batch": rare_batch,
    "genes of one name": several_of_one_name,
    "chromosomes of another style": lambda d: setattr(
        d, "genes", [gene.removeprefix("chr") for gene in d.genes]
    ),
}
REFUSED = {"barnyard", "mtx with a header", "transposed", "a rare batch"}
FEW = ("two files", "barnyard")


@pytest.mark.parametrize("case", CASES if os.environ.get("CISGRAMMAR_AWKWARD") == "all" else FEW)
def test_check_refuses_or_the_run_ends(case, new_run):
    run = new_run(CONFIG)
    data = Data(run.folder)
    CASES[case](data)
    data.write()
    run.configure(data.config)
    process = run.start("--cores", "2", "check")
    said = process.communicate(timeout=600)[0]
    assert "Traceback" not in said, said[-3000:]
    assert (process.returncode != 0) == (case in REFUSED), said[-3000:]
    if process.returncode == 0:
        run.snakemake("--cores", "2")
        assert run.plan() == {}
