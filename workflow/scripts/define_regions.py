"""Put a window around the TSS of each gene of the pools."""

import pandas as pd
from anndata import read_h5ad

from cisgrammar.annotation import genes_of_counts, keep_biotypes, read_tss
from cisgrammar.files import write_table
from cisgrammar.genome import chrom_sizes
from cisgrammar.logs import log_to
from cisgrammar.regions import promoters, write_bed

genome = snakemake.params.genome
with log_to(snakemake.log[0]):
    gtf = snakemake.input.annotation
    tss = read_tss(gtf, gene_id=genome["gene_id"], tss_rule=genome["tss_rule"])
    genes = read_h5ad(snakemake.input.pools, backed="r").var_names
    tss, steps = genes_of_counts(genes, tss)
    if genome["biotypes"] is not None:
        n_genes, tss = len(tss), keep_biotypes(tss, genome["biotypes"], gtf)
        steps.append(("dropped: another biotype", n_genes - len(tss)))
    sizes = chrom_sizes(snakemake.input.genome, snakemake.params.work)
    windows, counts = promoters(
        tss, sizes, **snakemake.params.regions, chromosomes=genome["chromosomes"]
    )
    write_bed(windows, snakemake.output.regions)
    steps = pd.DataFrame(steps, columns=["step", "genes"])
    write_table(pd.concat([steps, counts]), snakemake.output.counts)
