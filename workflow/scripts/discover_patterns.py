"""Find what recurs in the contributions of bases, label by label, and name it."""

from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.interpret.pattern_families import contribution_by_label, name_patterns
from cisgrammar.interpret.patterns import patterns_of_labels
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import write_meme

files, params, out = snakemake.input, snakemake.params, snakemake.output
known, alignment = params.database, params.alignment
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    labels = read_table(files.labels)
    motifs, table, seqlets = patterns_of_labels(
        labels["file"], files.contributions, **params.settings
    )
    named, families = name_patterns(
        table,
        motifs,
        load_database(known["source"], known["tf_names"]),
        read_table(files.clusters),
        threshold=alignment["threshold"],
        shuffled_rate=alignment["shuffled_rate"],
        shared_tfs=known["shared_tfs"],
        cut=known["cut"],
        seed=derive_seed(params.seed, "discover_patterns"),
    )
    write_meme(motifs, out.motifs)
    write_table(named, out.patterns)
    write_table(families, out.families)
    write_table(contribution_by_label(named, labels), out.by_label, index=True)
    write_table(seqlets, out.seqlets)
