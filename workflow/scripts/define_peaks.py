"""Put a window on each peak of the pools, and leave out those near genes or not to be trusted."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.genome.fasta import chrom_sizes
from cisgrammar.genome.peaks import define_peaks
from cisgrammar.genome.regions import read_bed, write_bed
from cisgrammar.genome.tss import read_tss

files, genome, peaks = snakemake.input, snakemake.params.genome, snakemake.params.peaks
with log_to(snakemake.log[0]):
    tss = None
    if files.annotation:
        tss = read_tss(files.annotation, gene_id=genome["gene_id"], tss_rule=genome["tss_rule"])
    windows, counts = define_peaks(
        read_h5ad(files.pools, backed="r").var,
        chrom_sizes(files.genome, files.work),
        length=peaks["length"],
        tss=tss,
        **(peaks["distal"] or {}),
        blacklist=read_bed(files.blacklist, "peaks.blacklist") if files.blacklist else None,
        chromosomes=genome["chromosomes"],
    )
    write_bed(windows, snakemake.output.regions)
    write_table(counts, snakemake.output.counts)
