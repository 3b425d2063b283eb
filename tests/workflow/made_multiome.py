"""Tiny RNA and peaks of the same cells, written with anndata's own writers."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

N_CELLS, N_PEAKS, SPACING, WIDTH = 120, 240, 1000, 200
SITES = {"A": "GGGGCGGGGC", "B": "TGCGCATGCGCA"}  # SP1 opens peaks in A, NRF1 in B
TFS = [
    *(
        "SP1",
        "NRF1",
        "KLF4",
        "CTCF",
        "GATA1",
        "ELK1",
        "ETS1",
        "E2F1",
        "MYC",
        "USF1",
        "TP53",
        "REST",
    ),
    *("SOX2", "POU2F1", "NFYA", "FOXA1", "CREB1", "JUN", "IRF1", "STAT1", "RFX1", "TFAP2A", "EGR1"),
    "ZBTB33",
]
N_GENES = 60


def write_multiome(folder: Path) -> None:
    """Write multiome.h5mu, rna.h5ad, atac.h5ad, genome.fa, genes.gtf and blacklist.bed.

    Peaks lie 1,000 bases apart. Gene ``g`` starts in peak 10 g; peak 1 is blacklisted and peak 2
    comes twice, the second time a little wider.
    """
    rng = np.random.default_rng(1)
    genome = {f"chr{c}": rng.choice(list("ACGT"), 500 + N_PEAKS // 2 * SPACING) for c in (1, 2)}
    cell_types = np.array(list("AB") * (N_CELLS // 2))
    carries = {cell_type: rng.random(N_PEAKS) < 0.4 for cell_type in SITES}
    names, rate = [], np.full((N_CELLS, N_PEAKS), 0.6)
    for i in range(N_PEAKS):
        chrom, start = f"chr{1 + i % 2}", 500 + i // 2 * SPACING
        names.append(f"{chrom}:{start}-{start + WIDTH}")
        for j, (cell_type, site) in enumerate(SITES.items()):
            if carries[cell_type][i]:
                at = start + 50 + 50 * j
                genome[chrom][at : at + len(site)] = list(site)
                rate[cell_types == cell_type, i] *= 6
    peaks = rng.poisson(rate)
    names.append(f"chr1:{1500 - 10}-{1500 + WIDTH + 10}")
    peaks = np.column_stack([peaks, peaks[:, 2]])
    mean = rng.gamma(2, 1, N_GENES) * np.ones((N_CELLS, 1))
    mean[cell_types == "A", 0::2] *= 4  # SP1 and every second gene
    mean[cell_types == "B", 1::2] *= 4
    cells = [f"CELL{i}-1" for i in range(N_CELLS)]
    obs = pd.DataFrame({"kind": cell_types, "age": rng.random(N_CELLS)}, index=cells)
    ids = [f"ENSG{i}" for i in range(N_GENES)]
    rna = _counts(rng.poisson(mean), obs, ids)
    # the peaks' cells stand in another order, and five have no RNA
    order = rng.permutation(N_CELLS)
    atac = _counts(peaks[order], pd.DataFrame(index=obs.index[order]), names)
    rna.write_h5ad(folder / "rna.h5ad")
    labelled = atac.copy()
    labelled.obs["kind"] = cell_types[order]
    labelled.obs["age"] = obs["age"].to_numpy()[order]
    labelled.write_h5ad(folder / "atac.h5ad")
    with h5py.File(folder / "multiome.h5mu", "w") as file:
        ad.io.write_elem(file, "mod/rna", rna[5:].copy())
        ad.io.write_elem(file, "mod/atac", atac)
        ad.io.write_elem(file, "obs", pd.DataFrame(index=obs.index))
    fasta = "".join(f">{name}\n{''.join(bases)}\n" for name, bases in genome.items())
    (folder / "genome.fa").write_text(fasta)
    (folder / "genes.gtf").write_text(
        "".join(
            f"1\ttest\tgene\t{600 + 5 * g * SPACING}\t{900 + 5 * g * SPACING}\t.\t+\t.\t"
            f'gene_id "{ids[g]}"; gene_name "{TFS[g]}"; gene_biotype "protein_coding";\n'
            for g in range(len(TFS))
        )
    )
    (folder / "blacklist.bed").write_text("chr2\t550\t560\n")


def _counts(matrix: np.ndarray, obs: pd.DataFrame, names: list[str]) -> ad.AnnData:
    return ad.AnnData(sp.csr_matrix(matrix.astype(np.float32)), obs, pd.DataFrame(index=names))
