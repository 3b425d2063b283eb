"""Keys of the inputs that only whole jobs bring together."""

from __future__ import annotations

import anndata as ad
import pandas as pd
from made_multiome import N_GENES, TFS, write_multiome

SETTINGS = {
    "cells": {"n_pcs": 12, "drop": {"cell_type": ["unlabelled"]}},
    "pools": {"n_pools": 15, "cells_per_pool": 10, "n_pcs": 8},
    "dataset": {"min_detected": 0.01, "weak_detected": 0.02},
}


def test_two_files_a_table_of_cells_windows_and_aliases(new_run):
    """The genes' own windows need no GTF; chromosomes have names that no rule knows."""
    counts = {
        "path": {"first": "rna.h5ad", "second": "rna.h5ad"},
        "join": "outer",
        "cell_table": "cells.csv",
        "cell_column": "barcode",
        "ignore_in_barcodes": r"-\d+$",
        "cell_type": "label",
        "columns_in_barcodes": {"digit": "CELL([0-9])"},
    }
    genome = {"fasta": "genome.fa", "chromosomes": "aliases.tsv"}
    windows = {"bed": "windows.bed"}
    run = new_run(
        {"name": "files", "counts": counts, "genome": genome, "regions": windows, **SETTINGS}
    )
    write_multiome(run.folder)
    cells = ad.read_h5ad(run.folder / "rna.h5ad").obs
    table = pd.DataFrame({"label": cells["kind"], "barcode": cells.index.str.removesuffix("-1")})
    table[10:].to_csv(run.folder / "cells.csv", index=False)
    (run.folder / "aliases.tsv").write_text("NC_1\tchr1\nNC_2\tchr2\n")
    (run.folder / "windows.bed").write_text(
        "".join(
            f"NC_{1 + g % 2}\t{1000 * g}\t{1000 * g + 150}\tENSG{g}\t0\t{'+-'[g % 2]}\t{TFS[g]}\n"
            for g in range(len(TFS))
        )
    )
    run.snakemake("--cores", "2", "results/files/dataset.h5ad")
    dataset = ad.read_h5ad(run.results / "dataset.h5ad")
    assert dataset.shape == (15, len(TFS))
    assert dataset.varm["codes"].shape[1] == 150
    assert dataset.var["chrom"].unique().tolist() == ["chr1", "chr2"]
    assert dataset.var["gene_name"].tolist() == TFS
    cells = ad.read_h5ad(run.results / "cells.h5ad")
    assert cells.n_obs == 2 * 110  # ten of each file are in no table
    assert set(cells.obs["batch"]) == {"first", "second"}
    assert set(cells.obs["cell_type"]) == {"A", "B"}
    assert cells.obs["digit"].astype(str).str.fullmatch("[0-9]").all()
    checks = pd.read_csv(run.results / "preflight.tsv", sep="\t", index_col="check")
    assert checks.loc["chosen cells", "found"] == "220 of 240 cells are left"
    assert checks.loc["counts of second", "found"] == f"h5ad: 120 cells x {N_GENES} genes"


def test_a_canonical_tss_and_clusters(new_run):
    run = new_run(
        {
            "name": "tss",
            "counts": {"path": "rna.h5ad"},
            "genome": {
                "fasta": "genome.fa",
                "gtf": "genes.gtf",
                "tss_rule": "most_5_prime",
                "biotypes": ["protein_coding"],
                "min_overlap": 0.3,
            },
            "regions": {"upstream": 50, "downstream": 30},
            **SETTINGS,
            "cells": {"n_pcs": 12, "clusters": 0.2},
        }
    )
    write_multiome(run.folder)
    run.snakemake("--cores", "2", "results/tss/dataset.h5ad")
    dataset = ad.read_h5ad(run.results / "dataset.h5ad")
    assert dataset.n_vars == len(TFS)
    assert dataset.obs["cell_type"].str.startswith("cluster ").all()
    pools = ad.read_h5ad(run.results / "pools.h5ad")
    assert pools.var.loc["ENSG0", "gene_name"] == "SP1"
