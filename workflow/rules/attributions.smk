"""What each base contributes to predictions, by cell type or population, and between two."""

ATTRIBUTION_FOLDER = f"{MODEL}/attributions"
OF_BASES = "14. What bases contribute"


rule attribute_bases:
    input:
        bed=ATTRIBUTED_BED,
        dataset=dataset_of,
        folds=folds_of,
        models=per_fold("model.pt"),
        work=when(GENOME, GENOME_INDEX),
        database=DATABASE,
    output:
        contributions=directory(f"{ATTRIBUTION_FOLDER}/contributions"),
        tracks=directory(f"{ATTRIBUTION_FOLDER}/tracks"),
        seqlets=f"{ATTRIBUTION_FOLDER}/seqlets.tsv",
        left_out=f"{ATTRIBUTION_FOLDER}/left_out.tsv",
        labels=model_table(
            "attributions/labels.tsv", "attribution_labels", OF_BASES, "Labels and seqlets"
        ),
        counts=model_table(
            "attributions/counts.tsv", "attribution_counts", OF_BASES, "What was left out"
        ),
    log:
        "logs/attribute_bases/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/attribute_bases.{model}.tsv"
    wildcard_constraints:
        model=one_of(ATTRIBUTION_MODELS),
    conda:
        "../../envs/motifs.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(6000, dataset=15),
        runtime=scaled(240, dataset=2),
    params:
        settings=how_to_attribute(
            "method",
            "by",
            "labels",
            "differences",
            "names",
            "max_sequences",
            "all_folds",
            "n_references",
        ),
        database=KNOWN_MOTIFS,
        training=DEVICE,
        seed=config["seed"],
        code=model_code("attribute_bases"),
    message:
        "Following the predictions of {wildcards.model} for {wildcards.name} back to bases"
    script:
        "../scripts/attribute_bases.py"


rule plot_attributions:
    input:
        contributions=f"{ATTRIBUTION_FOLDER}/contributions",
        seqlets=f"{ATTRIBUTION_FOLDER}/seqlets.tsv",
        labels=f"{ATTRIBUTION_FOLDER}/labels.tsv",
    output:
        folder=report(
            directory(f"{ATTRIBUTION_FOLDER}/logos"),
            patterns=["{window}.svg"],
            caption="../report/attribution_logos.rst",
            category=OF_BASES,
            subcategory="{model}",
            labels={"figure": "Contributions of bases: {window}"},
        ),
    log:
        "logs/plot_attributions/{name}.{model}.log",
    wildcard_constraints:
        model=one_of(ATTRIBUTION_MODELS),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(3000, contributions=5),
        runtime=scaled(30),
    params:
        n_figures=how_to_attribute("n_figures"),
        code=code("plot_attributions"),
    message:
        "Drawing what bases contribute to the predictions of {wildcards.model} for {wildcards.name}"
    script:
        "../scripts/plot_attributions.py"


for each in ATTRIBUTION_MODELS:
    OUTPUTS[each] += ["attributions/labels.tsv", "attributions/logos"]
