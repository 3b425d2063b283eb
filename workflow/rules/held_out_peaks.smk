"""How well the accessibility of peaks that a model never saw is predicted, in each cell."""


rule score_held_out:
    input:
        dataset=dataset_of,
        folds=folds_of,
        model=f"{MODEL}/fold{{fold}}/model.pt",
    output:
        per_cell=f"{MODEL}/fold{{fold}}/held_out_per_cell.tsv",
        per_peak=f"{MODEL}/fold{{fold}}/held_out_per_peak.tsv",
    log:
        "logs/score_held_out/{name}.{model}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/score_held_out.{model}.fold{fold}.tsv"
    wildcard_constraints:
        model=with_ability("embeds_cells"),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(4000, dataset=20),
        runtime=scaled(30, dataset=1),
    params:
        code=model_code("score_held_out"),
    message:
        "Scoring predictions of held-out peaks, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/score_held_out.py"


rule score_kmers:
    input:
        dataset=dataset_of,
        folds=folds_of,
    output:
        per_cell=f"{MODEL}/fold{{fold}}/kmers_per_cell.tsv",
        per_peak=f"{MODEL}/fold{{fold}}/kmers_per_peak.tsv",
    log:
        "logs/score_kmers/{name}.{model}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/score_kmers.{model}.fold{fold}.tsv"
    wildcard_constraints:
        model=with_ability("embeds_cells"),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(4000, dataset=30),
        runtime=scaled(30, dataset=1),
    params:
        seed=config["seed"],
        code=code("score_kmers"),
    message:
        "Scoring k-mers on held-out peaks, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/score_kmers.py"


rule train_shuffled:
    input:
        dataset=dataset_of,
        folds=folds_of,
        best=f"{MODEL}/fold{{fold}}/hyperparameters.json",
    output:
        per_cell=f"{MODEL}/fold{{fold}}/shuffled_per_cell.tsv",
        per_peak=f"{MODEL}/fold{{fold}}/shuffled_per_peak.tsv",
    log:
        "logs/train_shuffled/{name}.{model}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/train_shuffled.{model}.fold{fold}.tsv"
    wildcard_constraints:
        model=with_ability("embeds_cells"),
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=20),
        runtime=scaled(30, dataset=training_minutes),
    params:
        checkpoint=f"{MODEL}/fold{{fold}}/shuffled.checkpoint",  # as train_model's
        settings=how_to_build,
        training=how_to_train,
        seed=config["seed"],
        code=model_code("train_shuffled"),
    message:
        "Training {wildcards.model} on shuffled accessibility, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/train_shuffled.py"


rule gather_held_out:
    input:
        per_cell=per_fold("held_out_per_cell.tsv"),
        per_peak=per_fold("held_out_per_peak.tsv"),
        kmers_per_cell=per_fold("kmers_per_cell.tsv"),
        kmers_per_peak=per_fold("kmers_per_peak.tsv"),
        shuffled_per_cell=shuffled("per_cell.tsv"),
        shuffled_per_peak=shuffled("per_peak.tsv"),
    output:
        scores=model_table("held_out.tsv", "held_out_table", "02. Model", "Table of scores"),
    log:
        "logs/gather_held_out/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("embeds_cells"),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(2000, per_cell=10, per_peak=10),
        runtime=scaled(10),
    params:
        code=code("gather_held_out"),
    message:
        "Gathering the scores of held-out peaks of {wildcards.name}"
    script:
        "../scripts/gather_held_out.py"


rule plot_held_out:
    input:
        histories=per_fold("history.tsv"),
        per_cell=per_fold("held_out_per_cell.tsv"),
        per_peak=per_fold("held_out_per_peak.tsv"),
        kmers_per_cell=per_fold("kmers_per_cell.tsv"),
        kmers_per_peak=per_fold("kmers_per_peak.tsv"),
        shuffled_per_cell=shuffled("per_cell.tsv"),
        shuffled_per_peak=shuffled("per_peak.tsv"),
    output:
        **model_figures(
            losses=("cross_entropy_curves", "Losses"),
            aurocs=("auroc_curves", "AUROC in training"),
            scores=("held_out_auroc", "Scores on held-out peaks"),
            category="02. Model",
        ),
    log:
        "logs/plot_held_out/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("embeds_cells"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, per_cell=10, per_peak=10),
        runtime=scaled(30),
    params:
        code=code("plot_held_out"),
    message:
        "Drawing training and scores of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/plot_held_out.py"


OUTPUTS["embeds_cells"] += ["held_out.tsv", "figures/held_out_auroc.svg"]
SUMMARISED["embeds_cells"] += ["held_out.tsv"]
