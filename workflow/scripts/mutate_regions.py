"""Mutate every base of a few regions in silico, and name the motifs that importance follows."""

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, read_table, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.mutated_regions import label_sites, mutate_regions, null_thresholds
from cisgrammar.models.checkpoints import load_model
from cisgrammar.motifs.databases import load_database

files, params, settings = snakemake.input, snakemake.params, snakemake.params.settings
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    model = load_model(files.model).to(device)
    types = read_h5ad(files.accessibility, backed="r").obs["cell_type"].astype(str)
    regions = read_table(files.regions)
    effects = mutate_regions(model, regions, types)
    thresholds = null_thresholds(
        model,
        regions,
        types,
        n_shuffles=settings["n_shuffled"],
        quantile=settings["null_quantile"],
        seed=derive_seed(params.seed, "mutate_regions", "null"),
    )
    sites = label_sites(
        effects,
        regions,
        thresholds,
        load_database(params.database["source"], params.database["tf_names"]),
        scan_threshold=settings["scan_threshold"],
        seed=derive_seed(params.seed, "mutate_regions", "sites"),
    )
    write_h5ad(effects, snakemake.output.effects)
    write_table(thresholds, snakemake.output.thresholds)
    write_table(sites, snakemake.output.sites)
