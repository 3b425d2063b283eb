"""Tune and train each model in each of its folds."""


rule tune_model:
    input:
        dataset=dataset_of,
        folds=folds_of,
        first=first_search,
    output:
        best="results/{name}/{model}/fold{fold}/hyperparameters.json",
        trials="results/{name}/{model}/fold{fold}/trials.tsv",
        costs="benchmarks/results/{name}/tune_model.{model}.fold{fold}.costs.tsv",
    log:
        "logs/tune_model/{name}.{model}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/tune_model.{model}.fold{fold}.tsv"
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=15),
        runtime=scaled(60, dataset=tuning_minutes),
    params:
        # not an output: it must outlive a killed job, so that the search goes on where it was
        journal="results/{name}/{model}/fold{fold}/tuning.journal",
        settings=how_to_build,
        tuning=how_to_tune,
        warm_start=WARM_START,
        training=DEVICE,
        seed=config["seed"],
        code=model_code("tune_model"),
    message:
        "Tuning {wildcards.model}, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/tune_model.py"


rule train_model:
    input:
        dataset=dataset_of,
        folds=folds_of,
        best="results/{name}/{model}/fold{fold}/hyperparameters.json",
    output:
        model="results/{name}/{model}/fold{fold}/model.pt",
        history="results/{name}/{model}/fold{fold}/history.tsv",
        costs="benchmarks/results/{name}/train_model.{model}.fold{fold}.costs.tsv",
    log:
        "logs/train_model/{name}.{model}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/train_model.{model}.fold{fold}.tsv"
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=15),
        runtime=scaled(30, dataset=training_minutes),
    params:
        # not an output: it must outlive a killed job, so that training goes on where it was
        checkpoint="results/{name}/{model}/fold{fold}/training.checkpoint",
        settings=how_to_build,
        training=how_to_train,
        code=model_code("train_model"),
    message:
        "Training {wildcards.model}, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/train_model.py"
