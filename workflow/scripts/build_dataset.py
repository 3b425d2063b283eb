"""Join pooled counts and the sequences of regions."""

import pandas as pd

from cisgrammar.common.files import read_h5ad, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.dataset import build_dataset, gene_filter
from cisgrammar.genome.regions import read_windows, sequence_codes

params = snakemake.params
with log_to(snakemake.log[0]):
    pools = read_h5ad(snakemake.input.pools)
    regions = read_windows(snakemake.input.regions, snakemake.input.steps, pools.var_names)
    codes, known = sequence_codes(regions, snakemake.input.genome, snakemake.input.work)
    expressed = gene_filter(pools[:, regions.index].X, **params.settings)
    dataset = build_dataset(pools, regions, codes, known & expressed)
    write_h5ad(dataset, snakemake.output.dataset)
    steps = [
        ("windows", len(regions)),
        ("dropped: N in the sequence", int((~known).sum())),
        (f"dropped: too rarely or weakly {params.seen}", int((known & ~expressed).sum())),
        ("sequences", dataset.n_vars),
    ]
    write_table(pd.DataFrame(steps, columns=["step", params.what]), snakemake.output.counts)
