"""Part the sequences of neurons into facets, and read motifs, dictionary and syntax."""

from cisgrammar.common.files import read_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.interpret.neurons.choice import open_network
from cisgrammar.interpret.neurons.demixing import DemixingSettings
from cisgrammar.interpret.neurons.files import read_samples
from cisgrammar.interpret.neurons.reading import base_composition, random_readings, read_layers
from cisgrammar.interpret.neurons.sampling import SamplingSettings
from cisgrammar.interpret.neurons.tables import write_tables
from cisgrammar.motifs.databases import load_database

files, params, settings = snakemake.input, snakemake.params, snakemake.params.settings
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    paths = [files.network] if isinstance(files.network, str) else list(files.network)
    network, samples = open_network(paths, settings["network"]), read_samples(files.samples)
    seed = derive_seed(params.seed, "neurons")
    demixing = DemixingSettings(
        method=settings["demixing"],
        **{key: settings[key] for key in ("most_facets", "min_sequences", "rectified")},
        seed=seed,
    )
    sampling = SamplingSettings(
        **{key: settings[key] for key in ("sequences", "generations", "children", "quantile")},
        seed=seed,
    )
    most, by_chance = settings["n_neurons"], {}
    readings = read_layers(network, samples, most, demixing)
    if settings["random_weights"]:
        by_chance = random_readings(network, list(samples), sampling, demixing, most)
    known = load_database(params.database["source"], params.database["tf_names"])
    composition = base_composition(read_h5ad(files.dataset, backed="r").varm["codes"])
    chance = by_chance, known, settings["threshold"]
    write_tables(snakemake.output, network, readings, *chance, composition, seed)
