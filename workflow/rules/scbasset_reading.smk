"""What a trained scBasset says: of peaks and genes, of transcription factors, of single bases.

Where one model is enough, it is the first fold's.
"""

READ_OFF = "9. Accessibility, TFs and bases by the model"
READING = config["scbasset"]
FIRST_MODEL = f"{SCBASSET}/fold{SCBASSET_FOLDS[0]}/model.pt"
CELLS_EXPRESSION = when(MULTIOME, "results/{name}/cells_expression.h5ad")
EXPRESSED_GENES = bool(MULTIOME and ANNOTATION)  # whose promoters and expression are known


rule find_promoter_peaks:
    input:
        accessibility="results/{name}/accessibility.h5ad",
        annotation=ANNOTATION,
        expression=CELLS_EXPRESSION,
        aliases=ALIASES,
    output:
        table=f"{SCBASSET}/promoter_peaks.tsv",
    log:
        "logs/find_promoter_peaks/{name}.log",
    conda:
        "../../envs/cells.yaml"
    resources:
        mem_mb=scaled(2000, accessibility=10, annotation=5),
        runtime=scaled(30),
    params:
        genome=where_genes_start(),
        chromosomes=how_to_read_genes()["chromosomes"],
        reach=READING["denoising"]["promoter_reach"],
        code=code("find_promoter_peaks"),
    message:
        "Finding the peaks at the promoters of genes in {wildcards.name}"
    script:
        "../scripts/find_promoter_peaks.py"


rule denoise_accessibility:
    input:
        accessibility="results/{name}/accessibility.h5ad",
        model=FIRST_MODEL,
        promoters=f"{SCBASSET}/promoter_peaks.tsv",
        expression=CELLS_EXPRESSION,
    output:
        peaks=f"{SCBASSET}/denoised_peaks.h5ad",
        genes=f"{SCBASSET}/gene_scores.h5ad",
        by_cell_type=f"{SCBASSET}/gene_scores_by_cell_type.tsv",
        per_cell=f"{SCBASSET}/agreement_per_cell.tsv",
        per_gene=f"{SCBASSET}/agreement_per_gene.tsv",
        notes=family_table(
            "notes.tsv", "denoising_notes", READ_OFF, "What was left out", "scbasset"
        ),
    log:
        "logs/denoise_accessibility/{name}.log",
    benchmark:
        "benchmarks/results/{name}/denoise_accessibility.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, accessibility=40, expression=40),
        runtime=scaled(60, accessibility=1),
    params:
        settings={
            key: value for key, value in READING["denoising"].items() if key != "promoter_reach"
        },
        annotated=bool(ANNOTATION),
        device=config["training"]["device"],
        deterministic=config["training"]["deterministic"],
        code=code("denoise_accessibility"),
    message:
        "Denoising the accessibility of peaks and genes in {wildcards.name}"
    script:
        "../scripts/denoise_accessibility.py"


rule plot_denoising:
    input:
        denoised=f"{SCBASSET}/denoised_peaks.h5ad",
        accessibility="results/{name}/accessibility.h5ad",
        per_cell=f"{SCBASSET}/agreement_per_cell.tsv",
        per_gene=f"{SCBASSET}/agreement_per_gene.tsv",
        cells="results/{name}/cells.h5ad",
    output:
        **family_figures(
            heatmap=("denoised_accessibility", "Before and after denoising"),
            **(
                {"agreement": ("accessibility_against_expression", "Accessibility and expression")}
                if EXPRESSED_GENES
                else {}
            ),
            category=READ_OFF,
            family="scbasset",
        ),
    log:
        "logs/plot_denoising/{name}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, accessibility=20, denoised=10),
        runtime=scaled(30),
    params:
        n_cells=300,
        seed=config["seed"],
        code=code("plot_denoising"),
    message:
        "Drawing denoised accessibility of {wildcards.name}"
    script:
        "../scripts/plot_denoising.py"


rule score_tf_activity:
    input:
        accessibility="results/{name}/accessibility.h5ad",
        model=FIRST_MODEL,
        database=DATABASE,
        expression=CELLS_EXPRESSION,
        annotation=when(MULTIOME, ANNOTATION),
    output:
        activity=f"{SCBASSET}/tf_activity.h5ad",
        by_cell_type=f"{SCBASSET}/tf_activity_by_cell_type.tsv",
        expression=family_table(
            "tf_activity_and_expression.tsv",
            "tf_expression_table",
            READ_OFF,
            "TF activity and expression",
            "scbasset",
        ),
    log:
        "logs/score_tf_activity/{name}.log",
    benchmark:
        "benchmarks/results/{name}/score_tf_activity.tsv"
    conda:
        "../../envs/motifs.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, accessibility=40, expression=40),
        runtime=scaled(120, accessibility=1),
    params:
        settings=READING["tf_activity"],
        database={key: config["database"][key] for key in ("source", "tf_names")},
        genome=where_genes_start(),
        device=config["training"]["device"],
        deterministic=config["training"]["deterministic"],
        seed=config["seed"],
        code=code("score_tf_activity"),
    message:
        "Putting known motifs into shuffled peaks of {wildcards.name}"
    script:
        "../scripts/score_tf_activity.py"


rule plot_tf_activity:
    input:
        activity=f"{SCBASSET}/tf_activity.h5ad",
        by_cell_type=f"{SCBASSET}/tf_activity_by_cell_type.tsv",
        tests=f"{SCBASSET}/tf_activity_and_expression.tsv",
        embedding=f"{SCBASSET}/fold{SCBASSET_FOLDS[0]}/embedding.h5ad",
        expression=CELLS_EXPRESSION,
        database=DATABASE,
    output:
        **family_figures(
            heatmap=("tf_activity_heatmap", "TF activity by cell type"),
            maps=("tf_activity_maps", "TF activity and expression on the UMAP"),
            category=READ_OFF,
            family="scbasset",
        ),
    log:
        "logs/plot_tf_activity/{name}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, activity=20, expression=40),
        runtime=scaled(30),
    params:
        database={key: config["database"][key] for key in ("source", "tf_names")},
        n_shown=config["figures"]["n_motifs"],
        n_maps=5,
        code=code("plot_tf_activity"),
    message:
        "Drawing TF activity in {wildcards.name}"
    script:
        "../scripts/plot_tf_activity.py"


rule choose_regions:
    input:
        accessibility="results/{name}/accessibility.h5ad",
        genome=GENOME,
        bed=MUTATED_BED,
        aliases=ALIASES,
    output:
        regions=f"{SCBASSET}/mutagenesis/regions.tsv",
    log:
        "logs/choose_regions/{name}.log",
    conda:
        "../../envs/cells.yaml"
    resources:
        mem_mb=scaled(2000, accessibility=30),
        runtime=scaled(30),
    params:
        regions=READING["mutagenesis"]["regions"],
        n_regions=READING["mutagenesis"]["n_regions"],
        length=READING["length"],
        chromosomes=how_to_read_genes()["chromosomes"],
        work="results/{name}/genome",
        code=code("choose_regions"),
    message:
        "Choosing the regions of {wildcards.name} to mutate"
    script:
        "../scripts/choose_regions.py"


rule mutate_regions:
    input:
        accessibility="results/{name}/accessibility.h5ad",
        model=FIRST_MODEL,
        regions=f"{SCBASSET}/mutagenesis/regions.tsv",
        database=DATABASE,
    output:
        effects=f"{SCBASSET}/mutagenesis/effects.h5ad",
        thresholds=f"{SCBASSET}/mutagenesis/thresholds.tsv",
        sites=f"{SCBASSET}/mutagenesis/sites.tsv",
    log:
        "logs/mutate_regions/{name}.log",
    benchmark:
        "benchmarks/results/{name}/mutate_regions.tsv"
    conda:
        "../../envs/motifs.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, accessibility=20, regions=1000),
        runtime=scaled(60, regions=10_000),
    params:
        settings={
            key: READING["mutagenesis"][key]
            for key in ("n_shuffled", "null_quantile", "scan_threshold")
        },
        database={key: config["database"][key] for key in ("source", "tf_names")},
        device=config["training"]["device"],
        deterministic=config["training"]["deterministic"],
        seed=config["seed"],
        code=code("mutate_regions"),
    message:
        "Mutating every base of the regions of {wildcards.name} in silico"
    script:
        "../scripts/mutate_regions.py"


rule plot_mutagenesis:
    input:
        effects=f"{SCBASSET}/mutagenesis/effects.h5ad",
        thresholds=f"{SCBASSET}/mutagenesis/thresholds.tsv",
        sites=f"{SCBASSET}/mutagenesis/sites.tsv",
    output:
        folder=report(
            directory(f"{SCBASSET}/mutagenesis/logos"),
            patterns=["{region}.svg"],
            caption="../report/mutagenesis_logos.rst",
            category=READ_OFF,
            subcategory="scbasset",
            labels={"figure": "Importance of bases: {region}"},
        ),
    log:
        "logs/plot_mutagenesis/{name}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, effects=20),
        runtime=scaled(30),
    params:
        max_q=READING["mutagenesis"]["max_q"],
        n_bases=120,  # letters that can be read on a page
        n_rows=5,
        code=code("plot_mutagenesis"),
    message:
        "Drawing the importance of bases in {wildcards.name}"
    script:
        "../scripts/plot_mutagenesis.py"


SCBASSET_OUTPUTS += ["gene_scores.h5ad", "tf_activity.h5ad", "mutagenesis/logos"]
SCBASSET_OUTPUTS += ["figures/denoised_accessibility.svg", "figures/tf_activity_heatmap.svg"]


if SIMULATED_MULTIOME:

    rule compare_multiome_truth:
        input:
            accessibility="results/{name}/accessibility.h5ad",
            model=FIRST_MODEL,
            motifs="results/{name}/simulation/truth/motifs.meme",
            activities="results/{name}/simulation/truth/activities.tsv",
            sites="results/{name}/simulation/truth/sites.tsv",
        output:
            summary=family_table(
                "truth/summary.tsv",
                "multiome_truth_summary",
                "7. Comparison with the truth",
                "What was found of what was planted",
                "scbasset",
            ),
            activity=f"{SCBASSET}/truth/tf_activity.tsv",
            pairs=f"{SCBASSET}/truth/tf_activity_by_cell_type.tsv",
            sites=f"{SCBASSET}/truth/sites.tsv",
        log:
            "logs/compare_multiome_truth/{name}.log",
        benchmark:
            "benchmarks/results/{name}/compare_multiome_truth.tsv"
        conda:
            "../../envs/motifs.yaml"
        threads: config["training"]["threads"]
        resources:
            mem_mb=scaled(4000, accessibility=40),
            runtime=scaled(60, accessibility=1),
        params:
            n_backgrounds=READING["tf_activity"]["n_backgrounds"],
            change_of=READING["tf_activity"]["change_of"],
            seed=config["seed"],
            code=code("compare_multiome_truth"),
        message:
            "Comparing scBasset with the truth of {wildcards.name}"
        script:
            "../scripts/compare_multiome_truth.py"

    rule plot_multiome_truth:
        input:
            pairs=f"{SCBASSET}/truth/tf_activity_by_cell_type.tsv",
            cells="results/{name}/cells.h5ad",
        output:
            **family_figures(
                figure=("activity_against_truth", "TF activity against the truth"),
                category="7. Comparison with the truth",
                family="scbasset",
            ),
        log:
            "logs/plot_multiome_truth/{name}.log",
        conda:
            "../../envs/plots.yaml"
        resources:
            mem_mb=scaled(2000),
            runtime=scaled(10),
        params:
            code=code("plot_multiome_truth"),
        message:
            "Drawing TF activity against the truth of {wildcards.name}"
        script:
            "../scripts/plot_multiome_truth.py"

    SCBASSET_OUTPUTS += ["truth/summary.tsv", "figures/activity_against_truth.svg"]


rule try_depth:
    input:
        accessibility="results/{name}/accessibility.h5ad",
        folds=f"{SCBASSET}/folds.tsv",
        best=f"{SCBASSET}/fold{SCBASSET_FOLDS[0]}/hyperparameters.json",
        # all entries are what the first fold's model was trained on
        model=branch(lambda wildcards: wildcards.share == "1", then=FIRST_MODEL, otherwise=[]),
        expression=CELLS_EXPRESSION,
    output:
        measures=f"{SCBASSET}/downsampling/{{share}}.tsv",
    log:
        "logs/try_depth/{name}.{share}.log",
    benchmark:
        "benchmarks/results/{name}/try_depth.{share}.tsv"
    wildcard_constraints:
        share=r"1|0\.\d+",
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, accessibility=60, expression=30),
        runtime=scaled(60, accessibility=READING["epochs"] / 50),
    params:
        checkpoint=f"{SCBASSET}/downsampling/{{share}}.checkpoint",  # as train_model's
        settings=how_to_build("scbasset"),
        training=how_to_train("scbasset"),
        seed=config["seed"],
        code=code("try_depth"),
    message:
        "Training scBasset on {wildcards.share} of the open entries of {wildcards.name}"
    script:
        "../scripts/try_depth.py"


rule plot_depths:
    input:
        measures=expand(
            f"{SCBASSET}/downsampling/{{share}}.tsv",
            share=[1, *sorted(set(READING["downsampling"]["shares"]), reverse=True)],
            allow_missing=True,
        ),
    output:
        **family_figures(
            figure=("downsampling", "Fewer fragments"), category="2. Model", family="scbasset"
        ),
        table=family_table(
            "downsampling.tsv", "downsampling_table", "2. Model", "Table of depths", "scbasset"
        ),
    log:
        "logs/plot_depths/{name}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        code=code("plot_depths"),
    message:
        "Drawing what fewer fragments do in {wildcards.name}"
    script:
        "../scripts/plot_depths.py"


SCBASSET_OUTPUTS += when(READING["downsampling"]["shares"], ["figures/downsampling.svg"])
