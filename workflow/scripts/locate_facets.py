"""Count the sequences that excite each facet, list the best sites, and see what neurons feed."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.interpret.neurons.choice import open_network
from cisgrammar.interpret.neurons.files import read_facets, read_samples
from cisgrammar.interpret.neurons.peaks import effects_of_layers, locate, write_sites
from cisgrammar.models.checkpoints import load_model

files, params, out = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    paths = [files.network] if isinstance(files.network, str) else list(files.network)
    network = open_network(paths, params.settings["network"])
    thresholds = {depth: its.thresholds for depth, its in read_samples(files.samples).items()}
    facets, dataset = read_facets(files.facets), read_h5ad(files.dataset)
    counts, sites = locate(network, facets, thresholds, dataset, params.settings["n_sites"])
    write_table(counts, out.peaks)
    write_sites(sites, out.sites)
    model = load_model(files.model) if files.model else None
    seed = derive_seed(params.seed, "neurons")
    write_table(effects_of_layers(model, dataset, facets, seed), out.outputs)
