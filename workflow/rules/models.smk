"""Tune, train and evaluate one model for each family and fold."""


rule tune_model:
    input:
        dataset=sequences_of,
        folds=folds_of,
    output:
        best="results/{name}/{family}/fold{fold}/hyperparameters.json",
        trials="results/{name}/{family}/fold{fold}/trials.tsv",
    log:
        "logs/tune_model/{name}.{family}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/tune_model.{family}.fold{fold}.tsv"
    wildcard_constraints:
        family=one_of(FAMILIES),
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=15),
        runtime=scaled(60, dataset=tuning_minutes),
    params:
        # not an output: it must outlive a killed job, so that the search goes on where it was
        journal="results/{name}/{family}/fold{fold}/tuning.journal",
        settings=lambda wildcards: how_to_build(wildcards.family),
        tuning=lambda wildcards: how_to_tune(wildcards.family),
        device=config["training"]["device"],
        deterministic=config["training"]["deterministic"],
        seed=config["seed"],
        code=code("tune_model"),
    message:
        "Tuning {wildcards.family}, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/tune_model.py"


rule train_model:
    input:
        dataset=sequences_of,
        folds=folds_of,
        best="results/{name}/{family}/fold{fold}/hyperparameters.json",
    output:
        model="results/{name}/{family}/fold{fold}/model.pt",
        history="results/{name}/{family}/fold{fold}/history.tsv",
    log:
        "logs/train_model/{name}.{family}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/train_model.{family}.fold{fold}.tsv"
    wildcard_constraints:
        family=one_of(FAMILIES),
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=15),
        runtime=scaled(30, dataset=training_minutes),
    params:
        # not an output: it must outlive a killed job, so that training goes on where it was
        checkpoint="results/{name}/{family}/fold{fold}/training.checkpoint",
        settings=lambda wildcards: how_to_build(wildcards.family),
        training=lambda wildcards: how_to_train(wildcards.family),
        code=code("train_model"),
    message:
        "Training {wildcards.family}, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/train_model.py"


rule evaluate_model:
    input:
        dataset="results/{name}/dataset.h5ad",
        folds="results/{name}/folds.tsv",
        model="results/{name}/{family}/fold{fold}/model.pt",
    output:
        predictions="results/{name}/{family}/fold{fold}/predictions.h5ad",
        evaluation="results/{name}/{family}/fold{fold}/evaluation.tsv",
        per_pool="results/{name}/{family}/fold{fold}/evaluation_per_pool.tsv",
        per_gene="results/{name}/{family}/fold{fold}/evaluation_per_gene.tsv",
    log:
        "logs/evaluate_model/{name}.{family}.fold{fold}.log",
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(3000, dataset=15),
        runtime=scaled(10, dataset=0.1),
    params:
        code=code("evaluate_model"),
    message:
        "Evaluating {wildcards.family}, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/evaluate_model.py"


rule gather_evaluation:
    input:
        dataset="results/{name}/dataset.h5ad",
        predictions=per_fold("predictions.h5ad"),
    output:
        evaluation=family_table("evaluation.tsv", "evaluation_table", "2. Model", "Table of scores"),
    log:
        "logs/gather_evaluation/{name}.{family}.log",
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(2000, dataset=15, predictions=10),
        runtime=scaled(10, dataset=0.1),
    params:
        code=code("gather_evaluation"),
    message:
        "Gathering the evaluation of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/gather_evaluation.py"
