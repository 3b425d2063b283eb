"""What models of populations predict of genes that they never saw."""


rule predict_populations:
    input:
        dataset=dataset_of,
        folds=folds_of,
        models=per_fold("model.pt"),
    output:
        predictions=f"{MODEL}/predictions.h5ad",
    log:
        "logs/predict_populations/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/predict_populations.{model}.tsv"
    wildcard_constraints:
        model=with_ability("by_population"),
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, dataset=15),
        runtime=scaled(30, dataset=0.5),
    params:
        code=model_code("predict_populations"),
    message:
        "Predicting the genes of {wildcards.name} by the {wildcards.model} that never saw them"
    script:
        "../scripts/predict_populations.py"


OUTPUTS["by_population"] += ["predictions.h5ad"]
