"""Find the peaks at the promoters of genes."""

import pandas as pd

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.gene_match import genes_of_counts
from cisgrammar.genome.gene_peaks import COLUMNS, promoter_peaks
from cisgrammar.genome.tss import read_tss

files, params = snakemake.input, snakemake.params
with log_to(snakemake.log[0]):
    peaks = read_h5ad(files.accessibility, backed="r").var
    table = pd.DataFrame(columns=COLUMNS)
    if files.annotation:
        tss = read_tss(files.annotation, **params.genome)
        mapping = match_chromosomes(tss["chrom"], peaks["chrom"].unique(), params.chromosomes)
        counted = tss["gene_id"].unique()
        if files.expression:
            counted = read_h5ad(files.expression, backed="r").var_names
        tss, _ = genes_of_counts(counted, tss, mapping)
        tss["chrom"] = tss["chrom"].map(mapping)
        table = promoter_peaks(peaks, tss, params.settings["promoter_reach"])
    write_table(table, snakemake.output.table)
