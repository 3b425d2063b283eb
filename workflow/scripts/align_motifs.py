"""Align motifs to known motifs, and count how many meaningless ones match as well."""

from cisgrammar.common.files import write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import read_meme
from cisgrammar.motifs.tomtom import compare, shuffled_matches

settings, alignment = snakemake.params.database, snakemake.params.alignment
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    known = load_database(settings["source"], settings["tf_names"]).motifs
    motifs = read_meme(snakemake.input.motifs)
    write_table(compare(motifs, known, alignment["threshold"]), snakemake.output.hits)
    calibration = shuffled_matches(
        motifs,
        known,
        alignment["threshold"],
        rate=alignment["shuffled_rate"],
        seed=derive_seed(snakemake.params.seed, "align_motifs"),
    )
    write_table(calibration, snakemake.output.calibration)
