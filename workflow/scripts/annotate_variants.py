"""Write the largest effect of each variant: as tables, and into the user's VCF."""

from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.genome.fasta import chrom_sizes, match_chromosomes
from cisgrammar.genome.variants import variant_lines
from cisgrammar.use.variant_summary import count_reasons, summarise, write_annotated

files, out = snakemake.input, snakemake.output
with log_to(snakemake.log[0]):
    effects, skipped = read_table(files.effects), read_table(files.skipped)
    summary = summarise(effects, read_table(files.motifs))
    sizes = chrom_sizes(files.genome, files.work) if files.genome else {}
    chroms = {fields[0] for _, fields in variant_lines(files.vcf, "variants.vcf")}
    lengths = {name: sizes[there] for name, there in match_chromosomes(chroms, sizes).items()}
    write_annotated(files.vcf, out.vcf, summary, lengths)
    write_table(summary, out.summary)
    write_table(summary.head(snakemake.params.n_shown["n_shown"]), out.largest)
    write_table(count_reasons(effects, skipped), out.counts)
