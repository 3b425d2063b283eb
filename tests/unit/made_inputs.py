"""Small inputs written by the tests, and where the real ones are."""

import gzip
import os
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from cisgrammar.checks.preflight import preflight
from cisgrammar.checks.settings import (
    CellModelSettings,
    CellSettings,
    CountSettings,
    DatabaseSettings,
    GenomeSettings,
    InputFiles,
    PeakSettings,
    PoolSettings,
    Settings,
    WindowSettings,
)

SHARED = Path(__file__).parents[3] / "shared" / "data"
YEAST = SHARED / "yeast_stress"


def real(path):
    """Give a real file, or skip; on the build server its absence is a failure."""
    if not path.exists():
        message = f"real data are absent: {path}"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    return path


def write(path, text):
    """Write text, gzipped if the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def gtf_row(feature, start, end, strand="+", chrom="chr1", **attributes):
    """Write one GTF line; start counts from 1, the end is included."""
    ninth = " ".join(f'{key} "{value}";' for key, value in attributes.items())
    return "\t".join([chrom, "test", feature, str(start), str(end), ".", strand, ".", ninth]) + "\n"


def write_inputs(folder, n_cells=20, n_genes=12, **changes):
    """Write counts, FASTA and GTF that fit each other, and the arguments of `check_inputs`."""
    rng = np.random.default_rng(1)
    genome = "".join(rng.choice(list("ACGT"), 100 * (n_genes + 2)))
    genes = [f"G{i}" for i in range(n_genes)]
    rows = [
        gtf_row("gene", 100 * (i + 1), 100 * (i + 1) + 50, "+-"[i % 2], gene_id=gene)
        for i, gene in enumerate(genes)
    ]
    counts = ad.AnnData(
        sp.csr_matrix(rng.poisson(1, (n_cells, n_genes)).astype(np.float32)),
        obs=pd.DataFrame({"label": list("ab") * (n_cells // 2)}, [f"c{i}" for i in range(n_cells)]),
        var=pd.DataFrame(index=genes),
    )
    counts.write_h5ad(folder / "counts.h5ad")
    arguments = {
        "counts": folder / "counts.h5ad",
        "fasta": write(folder / "genome.fa", f">chr1\n{genome}\n"),
        "annotation": write(folder / "genes.gtf", "".join(rows)),
        "work": folder / "work",
        "cell_type": "label",
        "upstream": 20,
        "downstream": 10,
        "cells_per_pool": 5,
        "n_pools": 10,
    }
    return arguments | changes


def populations(**changes):
    """Give a section `populations` that goes with `write_inputs`, and what is changed."""
    half_life = {
        "features": ["utr5_length", "cds_length", "utr3_length"],
        "lengths": "spliced",
        "cds_gtf": None,
        "coding_only": True,
    }
    section = {
        "levels": ["all_cells", "cell_type"],
        "min_cells": 5,
        "upstream": 20,
        "downstream": 10,
        "drop_chromosomes": ["chrM"],
        "half_life": half_life | changes.pop("half_life", {}),
        "table": None,
        "bulk": None,
    }
    return section | changes


def with_transcripts(gtf, cds=(11, 30), untranslated=True):
    """Add to each gene row a transcript, and CDS from and to such a base of it."""
    rows = []
    for line in gtf.splitlines():
        chrom, _, _, start, end, _, strand, _, attributes = line.split("\t")
        first, last = int(start), int(end)
        rows.append(line + "\n")
        gene = attributes.split('"')[1]
        ids = {"gene_id": gene, "transcript_id": f"{gene}.t"}
        coding = (first + cds[0], first + cds[1]) if cds else None
        exon = (first, last) if untranslated else coding
        rows.append(gtf_row("exon", *exon, strand, chrom, **ids))
        if coding:
            rows.append(gtf_row("CDS", *coding, strand, chrom, **ids))
    return "".join(rows)


def check_inputs(
    *,
    folds=None,
    peaks=None,
    scbasset=None,
    database=None,
    populations=None,
    cell_type_order=(),
    **keys,
):
    """Check inputs, by files and keys in no order; `n_pools=None` has no pools."""

    def taken(kind):
        return kind(**{key: keys.pop(key) for key in kind.__dataclass_fields__ if key in keys})

    files = taken(InputFiles)
    settings = Settings(
        counts=taken(CountSettings),
        cells=taken(CellSettings),
        pools=taken(PoolSettings),
        genome=taken(GenomeSettings),
        windows=taken(WindowSettings),
        peaks=peaks and PeakSettings(**peaks),
        folds=folds,
        populations=populations,
        cell_models=[CellModelSettings(name="scbasset", **scbasset)] if scbasset else [],
        database=database and DatabaseSettings(**database),
        cell_type_order=cell_type_order,
    )
    assert not keys, keys
    if settings.pools.n_pools is None:
        settings = replace(settings, pools=None)
    return preflight(files, settings)
