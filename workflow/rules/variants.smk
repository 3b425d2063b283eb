"""What the user's variants change in predictions, and the motifs that they make or break."""

VARIANT_FOLDER = f"{MODEL}/variants"
OF_VARIANTS = "13. Variants"


rule predict_variants:
    input:
        vcf=VARIANT_FILE,
        dataset=dataset_of,
        folds=folds_of,
        models=per_fold("model.pt"),
        genome=GENOME,
        work=when(GENOME, GENOME_INDEX),
        database=DATABASE,
    output:
        effects=f"{VARIANT_FOLDER}/effects.tsv",
        motifs=f"{VARIANT_FOLDER}/motifs.tsv",
        skipped=f"{VARIANT_FOLDER}/skipped.tsv",
    log:
        "logs/predict_variants/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/predict_variants.{model}.tsv"
    wildcard_constraints:
        model=one_of(VARIANT_MODELS),
    conda:
        "../../envs/motifs.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(6000, dataset=15, vcf=200),
        runtime=scaled(60, vcf=60),
    params:
        settings=how_to_ask_variants(
            "by",
            "all_folds",
            "both_strands",
            "haplotypes",
            "shifts",
            "n_random",
            "motif_threshold",
        ),
        database=KNOWN_MOTIFS,
        training=DEVICE,
        seed=config["seed"],
        code=model_code("predict_variants"),
    message:
        "Predicting what the variants of {wildcards.name} change, by {wildcards.model}"
    script:
        "../scripts/predict_variants.py"


rule annotate_variants:
    input:
        vcf=VARIANT_FILE,
        genome=GENOME,
        work=when(GENOME, GENOME_INDEX),
        effects=f"{VARIANT_FOLDER}/effects.tsv",
        motifs=f"{VARIANT_FOLDER}/motifs.tsv",
        skipped=f"{VARIANT_FOLDER}/skipped.tsv",
    output:
        vcf=f"{VARIANT_FOLDER}/variants.vcf.gz",
        summary=f"{VARIANT_FOLDER}/summary.tsv",
        largest=model_table(
            "variants/largest.tsv", "largest_variants", OF_VARIANTS, "Largest effects"
        ),
        counts=model_table(
            "variants/counts.tsv", "variant_counts", OF_VARIANTS, "What was left out"
        ),
    log:
        "logs/annotate_variants/{name}.{model}.log",
    wildcard_constraints:
        model=one_of(VARIANT_MODELS),
    conda:
        "../../envs/cells.yaml"
    resources:
        mem_mb=scaled(2000, effects=20, vcf=20),
        runtime=scaled(30, vcf=1),
    params:
        n_shown=how_to_ask_variants("n_shown"),
        code=code("annotate_variants"),
    message:
        "Writing the largest effects of the variants of {wildcards.name} by {wildcards.model}"
    script:
        "../scripts/annotate_variants.py"


rule plot_variants:
    input:
        summary=f"{VARIANT_FOLDER}/summary.tsv",
        effects=f"{VARIANT_FOLDER}/effects.tsv",
    output:
        **model_figures(
            heatmap=("variant_effects", "Variants with the largest effects"),
            overview=("variant_overview", "Effects by position and against chance"),
            category=OF_VARIANTS,
        ),
    log:
        "logs/plot_variants/{name}.{model}.log",
    wildcard_constraints:
        model=one_of(VARIANT_MODELS),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, effects=20),
        runtime=scaled(30),
    params:
        n_shown=how_to_ask_variants("n_shown"),
        code=code("plot_variants"),
    message:
        "Drawing what the variants of {wildcards.name} change, by {wildcards.model}"
    script:
        "../scripts/plot_variants.py"


for each in VARIANT_MODELS:
    OUTPUTS[each] += [
        "variants/variants.vcf.gz",
        "figures/variant_effects.svg",
    ]
    SUMMARISED[each] += ["variants/summary.tsv", "variants/counts.tsv"]
