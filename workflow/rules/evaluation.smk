"""How well models with numbers for targets predict sequences that they never saw."""


rule evaluate_model:
    input:
        dataset=dataset_of,
        folds=folds_of,
        model="results/{name}/{model}/fold{fold}/model.pt",
    output:
        predictions="results/{name}/{model}/fold{fold}/predictions.h5ad",
        evaluation="results/{name}/{model}/fold{fold}/evaluation.tsv",
        per_pool="results/{name}/{model}/fold{fold}/evaluation_per_pool.tsv",
        per_gene="results/{name}/{model}/fold{fold}/evaluation_per_gene.tsv",
    log:
        "logs/evaluate_model/{name}.{model}.fold{fold}.log",
    wildcard_constraints:
        model=with_ability("dense_targets"),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(3000, dataset=15),
        runtime=scaled(10, dataset=0.1),
    params:
        code=model_code("evaluate_model"),
    message:
        "Evaluating {wildcards.model}, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/evaluate_model.py"


rule gather_evaluation:
    input:
        dataset=dataset_of,
        predictions=per_fold("predictions.h5ad"),
    output:
        evaluation=model_table("evaluation.tsv", "evaluation_table", "02. Model", "Table of scores"),
    log:
        "logs/gather_evaluation/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("dense_targets"),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(2000, dataset=15, predictions=10),
        runtime=scaled(10, dataset=0.1),
    params:
        code=code("gather_evaluation"),
    message:
        "Gathering the evaluation of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/gather_evaluation.py"


rule plot_training:
    input:
        histories=per_fold("history.tsv"),
        evaluation="results/{name}/{model}/evaluation.tsv",
        truth=truth_of,
        ceiling=noise_ceiling_of,
    output:
        **model_figures(
            losses=("loss_curves", "Losses"),
            scores=("r2_over_folds", "Scores on held-out sequences"),
            category="02. Model",
        ),
    log:
        "logs/plot_training/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("dense_targets"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(30),
    params:
        code=code("plot_training"),
    message:
        "Drawing losses and scores of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/plot_training.py"


OUTPUTS["dense_targets"] += ["evaluation.tsv"]
OUTPUTS["dense_targets"] += ["figures/r2_over_folds.svg"]
SUMMARISED["dense_targets"] += ["evaluation.tsv"]
