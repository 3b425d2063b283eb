"""Find each gene's promoter peak and the peaks that may drive it; split the genes into folds."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.fold_splits import split_folds
from cisgrammar.genome.candidates import find_candidates
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.gene_match import genes_of_counts
from cisgrammar.genome.tss import read_tss

files, params, out = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]):
    peaks = read_h5ad(files.accessibility, backed="r").var
    tss = read_tss(files.annotation, **params.genome)
    mapping = match_chromosomes(tss["chrom"], peaks["chrom"].unique(), params.chromosomes)
    counted = read_h5ad(files.expression, backed="r").var_names
    tss, _ = genes_of_counts(counted, tss, mapping)
    tss["chrom"] = tss["chrom"].map(mapping)
    candidates, left_out, steps = find_candidates(peaks, tss, **params.reach)
    write_table(candidates.gene_table(peaks.index), out.genes)
    write_table(candidates.table(peaks.index), out.pairs)
    write_table(left_out, out.left_out)
    write_table(steps, out.steps)
    genes = candidates.genes.set_index("gene")
    write_table(split_folds(genes, **params.folds, by="chromosome", seed=params.seed), out.folds)
