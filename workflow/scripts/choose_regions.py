"""Choose the regions to mutate, and read their sequences."""

import pandas as pd

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.peak_sequences import padded_codes
from cisgrammar.genome.fasta import chrom_sizes
from cisgrammar.genome.regions import read_bed
from cisgrammar.genome.sequence import decode
from cisgrammar.interpret.region_choice import asked_regions, mutated_windows, peaks_as_regions
from cisgrammar.interpret.specific_peaks import specific_peaks

files, params = snakemake.input, snakemake.params
with log_to(snakemake.log[0]):
    cells = read_h5ad(files.accessibility, backed="r")
    regions = asked_regions(params.settings["regions"], cells.var)
    if files.bed:
        bed = read_bed(files.bed, "scbasset.mutagenesis.bed").rename(columns={"name": "region"})
        regions = pd.concat([regions, bed.assign(chosen_for="")[regions.columns]])
    if regions.empty:
        chosen = specific_peaks(
            cells.X, cells.obs["cell_type"].astype(str), params.settings["n_regions"]
        )
        regions = peaks_as_regions(chosen, cells.var)
    sizes = chrom_sizes(files.genome, files.work)
    regions = mutated_windows(
        regions.reset_index(drop=True), sizes, params.length, params.chromosomes
    )
    windows = regions.assign(
        start=regions["window_start"], end=regions["window_start"] + params.length, strand="+"
    )
    codes, _ = padded_codes(windows, sizes, files.genome, files.work)
    write_table(regions.assign(sequence=[decode(row) for row in codes]), snakemake.output.regions)
