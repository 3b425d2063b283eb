"""What single bases of some regions are worth, by the first fold's model."""


rule choose_regions:
    input:
        accessibility=dataset_of,
        genome=GENOME,
        work=GENOME_INDEX,
        bed=mutated_bed,
        aliases=ALIASES,
    output:
        regions=f"{MODEL}/mutagenesis/regions.tsv",
    log:
        "logs/choose_regions/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("inserts"),
    conda:
        "../../envs/cells.yaml"
    resources:
        mem_mb=scaled(2000, accessibility=30),
        runtime=scaled(30),
    params:
        settings=how_to_read("mutagenesis", "regions", "n_regions"),
        length=config["accessibility"]["length"],
        chromosomes=how_to_read_genes()["chromosomes"],
        code=code("choose_regions"),
    message:
        "Choosing the regions of {wildcards.name} to mutate"
    script:
        "../scripts/choose_regions.py"


rule mutate_regions:
    input:
        accessibility=dataset_of,
        model=FIRST_MODEL,
        regions=f"{MODEL}/mutagenesis/regions.tsv",
        database=DATABASE,
    output:
        effects=f"{MODEL}/mutagenesis/effects.h5ad",
        thresholds=f"{MODEL}/mutagenesis/thresholds.tsv",
        sites=f"{MODEL}/mutagenesis/sites.tsv",
    log:
        "logs/mutate_regions/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/mutate_regions.{model}.tsv"
    wildcard_constraints:
        model=with_ability("inserts"),
    conda:
        "../../envs/motifs.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, accessibility=20, regions=1000),
        runtime=scaled(60, regions=10_000),
    params:
        settings=how_to_read("mutagenesis", "n_shuffled", "null_quantile", "scan_threshold"),
        database=KNOWN_MOTIFS,
        training=DEVICE,
        seed=config["seed"],
        code=model_code("mutate_regions"),
    message:
        "Mutating every base of the regions of {wildcards.name} in silico"
    script:
        "../scripts/mutate_regions.py"


rule plot_mutagenesis:
    input:
        effects=f"{MODEL}/mutagenesis/effects.h5ad",
        thresholds=f"{MODEL}/mutagenesis/thresholds.tsv",
        sites=f"{MODEL}/mutagenesis/sites.tsv",
    output:
        folder=report(
            directory(f"{MODEL}/mutagenesis/logos"),
            patterns=["{region}.svg"],
            caption="../report/mutagenesis_logos.rst",
            category=READ_OFF,
            subcategory="{model}",
            labels={"figure": "Importance of bases: {region}"},
        ),
    log:
        "logs/plot_mutagenesis/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("inserts"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, effects=20),
        runtime=scaled(30),
    params:
        settings=how_to_read("mutagenesis", "max_q"),
        n_bases=120,  # letters that can be read on a page
        n_rows=5,
        code=code("plot_mutagenesis"),
    message:
        "Drawing the importance of bases in {wildcards.name}"
    script:
        "../scripts/plot_mutagenesis.py"


OUTPUTS["inserts"] += ["mutagenesis/logos"]
