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


rule discover_patterns:
    input:
        contributions=f"{ATTRIBUTION_FOLDER}/contributions",
        labels=f"{ATTRIBUTION_FOLDER}/labels.tsv",
        clusters="results/{name}/motif_clusters.tsv",
        database=DATABASE,
    output:
        motifs=f"{ATTRIBUTION_FOLDER}/patterns.meme",
        seqlets=f"{ATTRIBUTION_FOLDER}/pattern_seqlets.tsv",
        by_label=f"{ATTRIBUTION_FOLDER}/families_by_label.tsv",
        patterns=model_table(
            "attributions/patterns.tsv", "patterns_table", OF_BASES, "Table of patterns"
        ),
        families=model_table(
            "attributions/pattern_families.tsv",
            "pattern_families",
            OF_BASES,
            "Families of patterns",
        ),
    log:
        "logs/discover_patterns/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/discover_patterns.{model}.tsv"
    wildcard_constraints:
        model=one_of(ATTRIBUTION_MODELS),
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(6000, contributions=10),
        runtime=scaled(240, contributions=2),
    params:
        settings=how_to_attribute("max_seqlets", "min_seqlets"),
        database=config["database"],
        alignment=config["alignment"],
        seed=config["seed"],
        code=code("discover_patterns"),
    message:
        "Finding patterns in what bases contribute to the predictions of {wildcards.model} for {wildcards.name}"
    script:
        "../scripts/discover_patterns.py"


rule find_pattern_regulators:
    input:
        by_label=f"{ATTRIBUTION_FOLDER}/families_by_label.tsv",
        families=f"{ATTRIBUTION_FOLDER}/pattern_families.tsv",
        expression=expression_of,
    output:
        regulators=model_table(
            "attributions/pattern_regulators.tsv",
            "pattern_regulators",
            OF_BASES,
            "TFs of families of patterns",
        ),
    log:
        "logs/find_pattern_regulators/{name}.{model}.log",
    wildcard_constraints:
        model=one_of(ATTRIBUTION_MODELS),
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(2000, expression=20),
        runtime=scaled(30, expression=0.1),
    params:
        settings=how_to_attribute("by"),
        code=code("find_pattern_regulators"),
    message:
        "Looking for the TFs behind the patterns of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/find_pattern_regulators.py"


rule plot_patterns:
    input:
        motifs=f"{ATTRIBUTION_FOLDER}/patterns.meme",
        patterns=f"{ATTRIBUTION_FOLDER}/patterns.tsv",
        families=f"{ATTRIBUTION_FOLDER}/pattern_families.tsv",
        by_label=f"{ATTRIBUTION_FOLDER}/families_by_label.tsv",
    output:
        **model_figures(
            logos=("pattern_logos", "Patterns of contributions"),
            heatmap=("pattern_heatmap", "Families of patterns by label"),
            category=OF_BASES,
        ),
    log:
        "logs/plot_patterns/{name}.{model}.log",
    wildcard_constraints:
        model=one_of(ATTRIBUTION_MODELS),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(30),
    params:
        code=code("plot_patterns"),
    message:
        "Drawing patterns of what bases contribute to the predictions of {wildcards.model} for {wildcards.name}"
    script:
        "../scripts/plot_patterns.py"


for each in ATTRIBUTION_MODELS:
    OUTPUTS[each] += ["attributions/labels.tsv", "attributions/logos"]
    if config["attributions"]["patterns"]:
        OUTPUTS[each] += ["attributions/patterns.tsv", "figures/pattern_logos.svg"]
        if EXPRESSION_OF[MODELS[each].data.name]:
            OUTPUTS[each] += ["attributions/pattern_regulators.tsv"]
