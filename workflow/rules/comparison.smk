"""What the model is worth: baselines, controls, noise ceiling, and one table of them all.

Times and memory differ from run to run, so they go to benchmarks/, not to results/.
"""

COMPARISON = config["comparison"]
FROM_HITS = [m for m in COMPARISON["baselines"] if m in ("linear", "ridge", "random_forest")]
RETRAINED = [c for c in COMPARISON["controls"] if c != "removed_filters"]
REMOVED = "removed_filters" in COMPARISON["controls"]
CEILING = GIVEN is None and config["pools"]["cells_per_pool"] > 1
COSTS = "benchmarks/results/{name}"


rule scan_motifs:
    input:
        dataset="results/{name}/dataset.h5ad",
        database=DATABASE,
    output:
        scores="results/{name}/motif_scores.h5ad",
    log:
        "logs/scan_motifs/{name}.log",
    benchmark:
        f"{COSTS}/scan_motifs.tsv"
    conda:
        "../../envs/motifs.yaml"
    threads: 2
    resources:
        mem_mb=scaled(3000, dataset=50),
        runtime=scaled(30, dataset=1),
    params:
        database=config["database"],
        threshold=COMPARISON["scan_threshold"],
        code=code("scan_motifs"),
    message:
        "Scanning the sequences of {wildcards.name} for known motifs"
    script:
        "../scripts/scan_motifs.py"


rule list_hits:
    input:
        dataset="results/{name}/dataset.h5ad",
        database=DATABASE,
    output:
        hits="results/{name}/motif_hits.tsv",
    log:
        "logs/list_hits/{name}.log",
    benchmark:
        f"{COSTS}/list_hits.tsv"
    conda:
        "../../envs/motifs.yaml"
    threads: 2
    resources:
        mem_mb=scaled(4000, dataset=500),
        runtime=scaled(60, dataset=5),
    params:
        database=config["database"],
        threshold=COMPARISON["scan_threshold"],
        code=code("list_hits"),
    message:
        "Listing the hits of known motifs in the sequences of {wildcards.name}"
    script:
        "../scripts/list_hits.py"


rule run_baselines:
    input:
        dataset="results/{name}/dataset.h5ad",
        folds="results/{name}/folds.tsv",
        hits=when(FROM_HITS, "results/{name}/motif_scores.h5ad"),
    output:
        scores="results/{name}/baselines/fold{fold}/scores.tsv",
        costs=f"{COSTS}/baselines.fold{{fold}}.costs.tsv",
    log:
        "logs/run_baselines/{name}.fold{fold}.log",
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(4000, dataset=50),
        runtime=scaled(60, dataset=2),
    params:
        settings=COMPARISON,
        seed=config["seed"],
        code=code("run_baselines"),
    message:
        "Fitting baselines, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/run_baselines.py"


rule train_controls:
    input:
        dataset="results/{name}/dataset.h5ad",
        folds="results/{name}/folds.tsv",
        best="results/{name}/{family}/fold{fold}/hyperparameters.json",
    output:
        scores="results/{name}/{family}/fold{fold}/controls.tsv",
        costs=f"{COSTS}/controls.{{family}}.fold{{fold}}.costs.tsv",
    log:
        "logs/train_controls/{name}.{family}.fold{fold}.log",
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=30),
        runtime=scaled(60, dataset=3 * config["training"]["epochs"] / 50),
    params:
        controls=RETRAINED,
        settings=lambda wildcards: config[wildcards.family],
        training=TRAINING,
        seed=config["seed"],
        code=code("train_controls"),
    message:
        "Training {wildcards.family} on spoiled data, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/train_controls.py"


rule remove_filters:
    input:
        dataset="results/{name}/dataset.h5ad",
        folds="results/{name}/folds.tsv",
        models=per_fold("model.pt"),
        filters="results/{name}/{family}/filter_families.tsv",
        families="results/{name}/{family}/families.tsv",
    output:
        scores="results/{name}/{family}/removed_filters.tsv",
    log:
        "logs/remove_filters/{name}.{family}.log",
    benchmark:
        f"{COSTS}/remove_filters.{{family}}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(4000, dataset=30),
        runtime=scaled(60, dataset=1),
    params:
        fill=COMPARISON["removed_say"],
        code=code("remove_filters"),
    message:
        "Predicting without some filters of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/remove_filters.py"


rule estimate_ceiling:
    input:
        cells="results/{name}/cells.h5ad",
        members="results/{name}/cells_in_pools.tsv",
        dataset="results/{name}/dataset.h5ad",
    output:
        ceiling="results/{name}/noise_ceiling.tsv",
    log:
        "logs/estimate_ceiling/{name}.log",
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(2000, cells=8, dataset=30),
        runtime=scaled(30, cells=0.1),
    params:
        seed=config["seed"],
        code=code("estimate_ceiling"),
    message:
        "Estimating how much of {wildcards.name} noise leaves to be explained"
    script:
        "../scripts/estimate_ceiling.py"


rule gather_comparison:
    input:
        model=per_fold("evaluation.tsv"),
        baselines=when(
            COMPARISON["baselines"],
            [f"results/{{name}}/baselines/fold{fold}/scores.tsv" for fold in FOLDS],
        ),
        baseline_costs=when(
            COMPARISON["baselines"], [f"{COSTS}/baselines.fold{fold}.costs.tsv" for fold in FOLDS]
        ),
        controls=when(RETRAINED, per_fold("controls.tsv")),
        control_costs=when(
            RETRAINED, [f"{COSTS}/controls.{{family}}.fold{fold}.costs.tsv" for fold in FOLDS]
        ),
        removed=when(REMOVED, "results/{name}/{family}/removed_filters.tsv"),
        ceiling=when(CEILING, "results/{name}/noise_ceiling.tsv"),
    output:
        comparison="results/{name}/{family}/comparison.tsv",
        differences="results/{name}/{family}/paired_differences.tsv",
        page=report(
            "results/{name}/{family}/comparison.html",
            caption="../report/comparison.rst",
            category="6. What the model is worth",
            subcategory="{family}",
            labels={"figure": "In words, and the table"},
        ),
        costs=f"{COSTS}/comparison_costs.{{family}}.tsv",
    log:
        "logs/gather_comparison/{name}.{family}.log",
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        # what Snakemake itself measured; not inputs, since they are nobody's outputs
        tuning=[f"{COSTS}/tune_model.{{family}}.fold{fold}.tsv" for fold in FOLDS],
        training=[f"{COSTS}/train_model.{{family}}.fold{fold}.tsv" for fold in FOLDS],
        seed=config["seed"],
        code=code("gather_comparison"),
    message:
        "Comparing {wildcards.family} with baselines and controls in {wildcards.name}"
    script:
        "../scripts/gather_comparison.py"


rule plot_comparison:
    input:
        comparison="results/{name}/{family}/comparison.tsv",
        ceiling=when(CEILING, "results/{name}/noise_ceiling.tsv"),
    output:
        **family_figures(
            figure=("method_comparison", "All methods"),
            category="6. What the model is worth",
        ),
    log:
        "logs/plot_comparison/{name}.{family}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(30),
    params:
        code=code("plot_comparison"),
    message:
        "Drawing baselines and controls beside {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/plot_comparison.py"
