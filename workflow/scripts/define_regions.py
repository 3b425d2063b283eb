"""Put a window around the TSS of each gene of the pools, or take those that the user has."""

import pandas as pd

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.genome.fasta import chrom_sizes, match_chromosomes
from cisgrammar.genome.gene_match import genes_of_counts
from cisgrammar.genome.regions import given_regions, promoters, write_bed
from cisgrammar.genome.tss import keep_biotypes, read_tss

files, genome = snakemake.input, snakemake.params.genome
with log_to(snakemake.log[0]):
    genes = read_h5ad(files.pools, backed="r").var_names
    sizes = chrom_sizes(files.genome, files.work)
    if files.bed:
        windows, counts = given_regions(files.bed, genes, sizes, genome["chromosomes"])
    else:
        gtf = files.annotation
        tss = read_tss(gtf, gene_id=genome["gene_id"], tss_rule=genome["tss_rule"])
        mapping = match_chromosomes(tss["chrom"], sizes, genome["chromosomes"])
        tss, steps = genes_of_counts(genes, tss, mapping)
        if genome["biotypes"] is not None:
            n_genes, tss = len(tss), keep_biotypes(tss, genome["biotypes"], gtf)
            steps.append(("dropped: another biotype", n_genes - len(tss)))
        windows, counts = promoters(
            tss, sizes, **snakemake.params.regions, chromosomes=genome["chromosomes"]
        )
        counts = pd.concat([pd.DataFrame(steps, columns=["step", "genes"]), counts])
    write_bed(windows, snakemake.output.regions)
    write_table(counts, snakemake.output.counts)
