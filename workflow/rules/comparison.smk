"""What the model is worth: baselines, controls, noise ceiling, and one table of them all.

Times and memory differ from run to run, so they go to benchmarks/, not to results/.
"""

COMPARISON = config["comparison"]
FROM_HITS = [m for m in COMPARISON["baselines"] if m in ("linear", "ridge", "random_forest")]
RETRAINED = [c for c in COMPARISON["controls"] if c != "removed_filters"]
REMOVED = "removed_filters" in COMPARISON["controls"]

COSTS = "benchmarks/results/{name}"
ALL_FOLDS = range(config["folds"]["n_folds"])


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
        dataset=dataset_of,
        folds=folds_of,
        best="results/{name}/{model}/fold{fold}/hyperparameters.json",
    output:
        scores="results/{name}/{model}/fold{fold}/controls.tsv",
        costs=f"{COSTS}/controls.{{model}}.fold{{fold}}.costs.tsv",
    log:
        "logs/train_controls/{name}.{model}.fold{fold}.log",
    wildcard_constraints:
        model=with_ability("dense_targets"),
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=30),
        runtime=scaled(60, dataset=control_minutes),
    params:
        controls=RETRAINED,
        settings=how_to_build,
        training=how_to_train_controls,
        seed=config["seed"],
        code=model_code("train_controls"),
    message:
        "Training {wildcards.model} on shuffled data, as a control, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/train_controls.py"


rule remove_filters:
    input:
        dataset=dataset_of,
        folds=folds_of,
        models=per_fold("model.pt"),
        filters="results/{name}/{model}/filter_families.tsv",
        families="results/{name}/{model}/families.tsv",
    output:
        scores="results/{name}/{model}/removed_filters.tsv",
    log:
        "logs/remove_filters/{name}.{model}.log",
    benchmark:
        f"{COSTS}/remove_filters.{{model}}.tsv"
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(4000, dataset=30),
        runtime=scaled(60, dataset=1),
    params:
        fill=COMPARISON["removed_say"],
        code=model_code("remove_filters"),
    message:
        "Predicting without some filters of {wildcards.model} in {wildcards.name}"
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
        "Estimating the noise ceiling of {wildcards.name}"
    script:
        "../scripts/estimate_ceiling.py"


rule gather_comparison:
    input:
        model=per_fold("evaluation.tsv"),
        baselines=when(
            COMPARISON["baselines"],
            [f"results/{{name}}/baselines/fold{fold}/scores.tsv" for fold in ALL_FOLDS],
        ),
        baseline_costs=when(
            COMPARISON["baselines"],
            [f"{COSTS}/baselines.fold{fold}.costs.tsv" for fold in ALL_FOLDS],
        ),
        controls=when(RETRAINED, per_fold("controls.tsv")),
        control_costs=when(RETRAINED, costs_per_fold("controls")),
        tuning_costs=costs_per_fold("tune_model"),
        training_costs=costs_per_fold("train_model"),
        removed=removed_filters,
        ceiling=when(CEILING, "results/{name}/noise_ceiling.tsv"),
    output:
        comparison="results/{name}/{model}/comparison.tsv",
        differences="results/{name}/{model}/paired_differences.tsv",
        page=report(
            "results/{name}/{model}/comparison.html",
            caption="../report/comparison.rst",
            category="06. What the model is worth",
            subcategory="{model}",
            labels={"figure": "In words, and the table"},
        ),
        costs=f"{COSTS}/comparison_costs.{{model}}.tsv",
    log:
        "logs/gather_comparison/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("dense_targets"),
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        seed=config["seed"],
        code=code("gather_comparison"),
    message:
        "Comparing {wildcards.model} with baselines and controls in {wildcards.name}"
    script:
        "../scripts/gather_comparison.py"


rule plot_comparison:
    input:
        comparison="results/{name}/{model}/comparison.tsv",
        ceiling=when(CEILING, "results/{name}/noise_ceiling.tsv"),
    output:
        **model_figures(
            figure=("method_comparison", "All methods"),
            category="06. What the model is worth",
        ),
    log:
        "logs/plot_comparison/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("dense_targets"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(30),
    params:
        code=code("plot_comparison"),
    message:
        "Drawing baselines and controls beside {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/plot_comparison.py"


OUTPUTS["dense_targets"] += [
    "comparison.tsv",
    "comparison.html",
    "figures/method_comparison.svg",
]
if COMPARISON["list_hits"]:
    OUTPUTS["pools"] += ["motif_hits.tsv"]
SUMMARISED["dense_targets"] += ["paired_differences.tsv"]
if CEILING:
    SUMMARISED["pools"] += ["noise_ceiling.tsv"]
