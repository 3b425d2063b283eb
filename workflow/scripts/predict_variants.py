"""Predict what variants change, and find the known motifs that they make or break."""

from pathlib import Path

import pandas as pd

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.fasta import open_fasta
from cisgrammar.genome.variants import read_variants
from cisgrammar.motifs.databases import load_database
from cisgrammar.use.trained import load
from cisgrammar.use.variant_effects import variant_effects
from cisgrammar.use.variant_haplotypes import with_haplotypes
from cisgrammar.use.variant_motifs import motif_changes

files, params, settings = snakemake.input, snakemake.params, dict(snakemake.params.settings)
threshold, by, together = map(settings.pop, ("motif_threshold", "by", "haplotypes"))
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    trained = load(Path(files.models[0]).parents[1], device, n_folds=len(files.models))
    genome = open_fasta(files.genome, files.work) if files.genome else None
    variants, unreadable = read_variants(files.vcf, "variants.vcf")
    if together:
        variants = with_haplotypes(trained, variants, files.vcf, "variants.vcf")
    effects, left_out = variant_effects(
        trained,
        variants,
        by=by or ("cell_type" if "cell_type" in trained.dataset.obs else None),
        genome=genome,
        seed=derive_seed(params.seed, "predict_variants"),
        **settings,
    )
    database = load_database(params.database["source"], params.database["tf_names"])
    motifs = motif_changes(trained, effects, database, threshold=threshold, genome=genome)
    write_table(effects, snakemake.output.effects)
    write_table(motifs, snakemake.output.motifs)
    write_table(pd.concat([unreadable, left_out]), snakemake.output.skipped)
