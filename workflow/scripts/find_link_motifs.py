"""Find known motifs in peaks that drive genes, and the TFs that may be behind them."""

from cisgrammar.common.files import read_h5ad, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.data.gene_peaks import describe_peaks
from cisgrammar.genome.tss import read_tss
from cisgrammar.interpret.link_motifs import (
    candidate_peaks,
    expression_of_types,
    find_link_motifs,
    find_link_regulators,
)
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.fimo import scan

files, params, out = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    links, cells = read_table(files.links), read_h5ad(files.accessibility)
    rows = candidate_peaks(links, cells.var_names)
    peaks = describe_peaks(cells).iloc[rows]
    known = load_database(params.database["source"], params.database["tf_names"])
    hits = scan(cells.varm["codes"][rows], known.motifs, params.threshold)
    seed = derive_seed(params.seed, "find_link_motifs")
    write_table(find_link_motifs(links, peaks, hits, known.table, seed=seed), out.motifs)
    tss, counts = read_tss(files.annotation, **params.genome), read_h5ad(files.expression)
    expression = expression_of_types(counts, cells, tss, params.relative)
    regulators = find_link_regulators(
        links, read_h5ad(files.by_type), hits, peaks.index, known.table, expression
    )
    write_table(regulators, out.regulators)
