"""All models of a config on the same ground: cell types x sequences that none of them saw."""

KINDS = list(dict.fromkeys(MODELS[model].data for model in CHOSEN))

if len(CHOSEN) > 1 and GIVEN is None and KINDS != [POPULATIONS]:

    rule compare_models:
        input:
            models=[
                f"results/{{name}}/{model}/fold{fold}/model.pt"
                for model in CHOSEN
                for fold in fold_numbers(model)
            ],
            datasets=[f"results/{{name}}/{kind.dataset}" for kind in KINDS],
            folds=[f"results/{{name}}/{kind.folds}" for kind in KINDS],
            cells="results/{name}/cells.h5ad",
            expression=CELLS_EXPRESSION,
        output:
            table=report(
                "results/{name}/models_compared.tsv",
                caption="../report/models_compared.rst",
                category="06. What the model is worth",
                labels={"figure": "Models compared"},
            ),
        log:
            "logs/compare_models/{name}.log",
        benchmark:
            "benchmarks/results/{name}/compare_models.tsv"
        conda:
            "../../envs/torch.yaml"
        threads: config["training"]["threads"]
        resources:
            mem_mb=scaled(6000, datasets=15, cells=10, expression=10),
            runtime=scaled(60, datasets=2),
        params:
            folds={model: len(fold_numbers(model)) for model in CHOSEN},
            sequences="peaks" if config["peaks"] else "genes",
            settings=COMPARISON,
            training=DEVICE,
            seed=config["seed"],
            code=model_code("compare_models"),
        message:
            "Comparing the models of {wildcards.name} with each other"
        script:
            "../scripts/compare_models.py"

    for kind in KINDS[:1]:
        OUTPUTS[kind.name] += ["models_compared.tsv"]
        SUMMARISED[kind.name] += ["models_compared.tsv"]


if len(MOTIF_EFFECTS) > 1 and GIVEN is None:

    rule compare_motifs:
        input:
            effects=[f"results/{{name}}/{model}/{table}" for model, table in MOTIF_EFFECTS.items()],
            clusters="results/{name}/motif_clusters.tsv",
            cell_types=CELL_TYPES,
        output:
            table="results/{name}/motifs_compared.tsv",
            figure=report(
                "results/{name}/figures/motifs_compared.svg",
                caption="../report/motifs_compared.rst",
                category="06. What the model is worth",
                labels={"figure": "Motifs of the models compared"},
            ),
            png="results/{name}/figures/motifs_compared.png",
        log:
            "logs/compare_motifs/{name}.log",
        conda:
            "../../envs/plots.yaml"
        resources:
            mem_mb=scaled(2000),
            runtime=scaled(30),
        params:
            models=list(MOTIF_EFFECTS),
            code=code("compare_motifs"),
        message:
            "Comparing what motifs do in cell types, by the models of {wildcards.name}"
        script:
            "../scripts/compare_motifs.py"

    OUTPUTS[MODELS[list(MOTIF_EFFECTS)[0]].data.name] += ["motifs_compared.tsv"]
    if KINDS != [POPULATIONS]:  # there is a section of the page that tells of it
        SUMMARISED[KINDS[0].name] += ["motifs_compared.tsv"]
