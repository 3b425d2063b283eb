"""What the neurons of convolutions answer to, and how their motifs go together (NeuronMotif)."""

NEURONS_FOLDER = f"{MODEL}/neurons"
NEURONS_READ = "12. Neurons"


rule sample_neurons:
    input:
        network=network_files,
        dataset=sequences_of_network,
    output:
        samples=f"{NEURONS_FOLDER}/samples.h5",
    log:
        "logs/sample_neurons/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/sample_neurons.{model}.tsv"
    wildcard_constraints:
        model=one_of(NETWORKS),
    conda:
        "../../envs/motifs.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=5, network=50),
        runtime=scaled(120, network=10),
    params:
        # not an output: it must outlive a killed job, so that sampling goes on where it was
        work=f"{NEURONS_FOLDER}/sampling",
        settings=how_to_read_neurons(
            "network",
            "layers",
            "longest_field",
            "sample_from",
            "sequences",
            "generations",
            "children",
            "quantile",
        ),
        training=DEVICE,
        seed=config["seed"],
        code=network_code("sample_neurons"),
    message:
        "Finding sequences that excite the neurons of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/sample_neurons.py"


rule read_neurons:
    input:
        network=network_files,
        samples=f"{NEURONS_FOLDER}/samples.h5",
        dataset=sequences_of_network,
        database=DATABASE,
    output:
        neurons=model_table("neurons/neurons.tsv", "neurons_table", NEURONS_READ, "Neurons"),
        syntax=model_table("neurons/syntax.tsv", "syntax_table", NEURONS_READ, "Syntax"),
        dictionary=model_table(
            "neurons/dictionary.tsv", "dictionary_table", NEURONS_READ, "Dictionary"
        ),
        chance=model_table("neurons/chance.tsv", "chance_table", NEURONS_READ, "Chance"),
        facets=f"{NEURONS_FOLDER}/facets.h5",
        facet_table=f"{NEURONS_FOLDER}/facets.tsv",
        facet_motifs=f"{NEURONS_FOLDER}/facets.meme",
        entries=f"{NEURONS_FOLDER}/dictionary.meme",
        spacing=f"{NEURONS_FOLDER}/spacing.tsv",
        links=f"{NEURONS_FOLDER}/links.tsv",
    log:
        "logs/read_neurons/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/read_neurons.{model}.tsv"
    wildcard_constraints:
        model=one_of(NETWORKS),
    conda:
        "../../envs/motifs.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, samples=20),
        runtime=scaled(120, samples=10),
    params:
        settings=how_to_read_neurons(
            "network",
            "n_neurons",
            "demixing",
            "rectified",
            "most_facets",
            "min_sequences",
            "threshold",
            "random_weights",
            "sequences",
            "generations",
            "children",
            "quantile",
        ),
        database=KNOWN_MOTIFS,
        seed=config["seed"],
        code=network_code("read_neurons"),
    message:
        "Reading motifs and syntax of the neurons of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/read_neurons.py"


rule locate_facets:
    input:
        network=network_files,
        model=model_of_network,
        samples=f"{NEURONS_FOLDER}/samples.h5",
        facets=f"{NEURONS_FOLDER}/facets.h5",
        dataset=sequences_of_network,
    output:
        peaks=f"{NEURONS_FOLDER}/sequences.tsv",
        sites=f"{NEURONS_FOLDER}/sites.bed",
        outputs=f"{NEURONS_FOLDER}/outputs.tsv",
    log:
        "logs/locate_facets/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/locate_facets.{model}.tsv"
    wildcard_constraints:
        model=one_of(NETWORKS),
    conda:
        "../../envs/motifs.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=20),
        runtime=scaled(60, dataset=2),
    params:
        settings=how_to_read_neurons("network", "n_sites"),
        seed=config["seed"],
        code=network_code("locate_facets"),
    message:
        "Finding the facets of {wildcards.model} in the sequences of {wildcards.name}"
    script:
        "../scripts/locate_facets.py"


rule plot_neurons:
    input:
        facets=f"{NEURONS_FOLDER}/facets.tsv",
        motifs=f"{NEURONS_FOLDER}/facets.meme",
        neurons=f"{NEURONS_FOLDER}/neurons.tsv",
        syntax=f"{NEURONS_FOLDER}/syntax.tsv",
        spacing=f"{NEURONS_FOLDER}/spacing.tsv",
        links=f"{NEURONS_FOLDER}/links.tsv",
        dictionary=f"{NEURONS_FOLDER}/dictionary.tsv",
        entries=f"{NEURONS_FOLDER}/dictionary.meme",
        sequences=f"{NEURONS_FOLDER}/sequences.tsv",
    output:
        **model_figures(
            facets=("neuron_facets", "Facets of neurons"),
            dictionary=("neuron_dictionary", "Dictionary of motifs"),
            trees=("neuron_syntax", "Syntax of neurons"),
            spacing=("neuron_spacing", "Spacing of motifs"),
            category=NEURONS_READ,
        ),
    log:
        "logs/plot_neurons/{name}.{model}.log",
    wildcard_constraints:
        model=one_of(NETWORKS),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, spacing=20),
        runtime=scaled(30),
    params:
        code=code("plot_neurons"),
    message:
        "Drawing the neurons of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/plot_neurons.py"


NEURON_FILES = [
    "neurons/sites.bed",
    "figures/neuron_facets.svg",
    "figures/neuron_dictionary.svg",
    "figures/neuron_syntax.svg",
    "figures/neuron_spacing.svg",
]
for each in NETWORKS:
    if each == OWN_NETWORK:
        OUTPUTS[MODELS[CHOSEN[0]].data.name] += [f"{each}/{file}" for file in NEURON_FILES]
    else:
        OUTPUTS[each] += NEURON_FILES
        SUMMARISED[each] += [
            f"neurons/{table}.tsv" for table in ("dictionary", "chance", "syntax", "spacing")
        ]
