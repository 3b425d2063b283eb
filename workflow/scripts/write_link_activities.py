"""Write what strong cREs add to their genes in each cell, and those special to a cell type."""

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, read_table, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.genome.candidates import Candidates
from cisgrammar.interpret.link_scoring import activities_of_cells, specific_links
from cisgrammar.models.checkpoints import load_model
from cisgrammar.training.link_data import gather_gene_peaks

files, params, out = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]):
    start_on_device(snakemake.threads, params.device, snakemake.resources)
    cells = read_h5ad(files.accessibility)
    candidates = Candidates.of_tables(
        read_table(files.genes), read_table(files.pairs), cells.var_names, files.pairs
    )
    data, _ = gather_gene_peaks(
        load_model(files.model), cells, read_h5ad(files.expression), candidates, params.settings,
        seed=params.seed,
    )  # fmt: skip
    activities = activities_of_cells(data, read_table(files.links), cells.obs)
    write_h5ad(activities, out.of_cells)
    write_table(specific_links(activities), out.specific)
