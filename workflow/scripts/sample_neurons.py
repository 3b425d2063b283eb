"""Find sequences that excite each neuron of some layers, and keep them."""

import shutil

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.neurons.choice import open_network
from cisgrammar.interpret.neurons.files import sample_layers, write_samples
from cisgrammar.interpret.neurons.sampling import SamplingSettings
from cisgrammar.models.conv_layers import chosen_layers

files, params, settings = snakemake.input, snakemake.params, snakemake.params.settings
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    paths = [files.network] if isinstance(files.network, str) else list(files.network)
    network = open_network(paths, settings["network"], device)
    depths = chosen_layers(network.layers, settings["layers"], settings["longest_field"])
    sampling = SamplingSettings(
        **{key: settings[key] for key in ("sequences", "generations", "children", "quantile")},
        seed=derive_seed(params.seed, "neurons"),
    )
    of_peaks = settings["sample_from"] == "peaks"
    codes = read_h5ad(files.dataset, backed="r").varm["codes"] if of_peaks else None
    write_samples(
        sample_layers(network, depths, sampling, params.work, codes), snakemake.output.samples
    )
    shutil.rmtree(params.work)
