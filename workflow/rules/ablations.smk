"""Optional: what models of populations lose with a part of what they read."""


rule try_ablation:
    input:
        dataset=dataset_of,
        folds=folds_of,
        best=f"{MODEL}/fold{{fold}}/hyperparameters.json",
    output:
        scores=f"{MODEL}/ablations/{{ablation}}.fold{{fold}}.tsv",
    log:
        "logs/try_ablation/{name}.{model}.{ablation}.fold{fold}.log",
    benchmark:
        "benchmarks/results/{name}/try_ablation.{model}.{ablation}.fold{fold}.tsv"
    wildcard_constraints:
        model=with_ability("by_population"),
        ablation=r"sequence|features|\d+_\d+",
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=15),
        runtime=scaled(30, dataset=training_minutes),
    params:
        checkpoint=f"{MODEL}/ablations/{{ablation}}.fold{{fold}}.checkpoint",  # as train_model's
        settings=how_to_build,
        training=how_to_train,
        upstream=(config.get("populations") or {}).get("upstream"),
        code=model_code("try_ablation"),
    message:
        "Training {wildcards.model} with a part of its inputs ({wildcards.ablation}), fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/try_ablation.py"


rule plot_ablations:
    input:
        ablations=scores_of_ablations,
        scores=f"{MODEL}/population_scores.tsv",
    output:
        **model_figures(
            figure=("population_ablations", "A part of the inputs"), category="10. Populations"
        ),
        table=f"{MODEL}/population_ablations.tsv",
    log:
        "logs/plot_ablations/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("by_population"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(10),
    params:
        code=code("plot_ablations"),
    message:
        "Drawing what {wildcards.model} loses with a part of its inputs in {wildcards.name}"
    script:
        "../scripts/plot_ablations.py"


if any(map(ablations_of, models_with("by_population", CHOSEN))):
    OUTPUTS["by_population"] += ["figures/population_ablations.svg"]
