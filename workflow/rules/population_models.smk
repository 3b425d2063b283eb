"""What models of populations predict of genes that they never saw, and what bases are worth."""


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


rule mutate_genes:
    input:
        dataset=dataset_of,
        folds=folds_of,
        models=per_fold("model.pt"),
    output:
        effects=f"{MODEL}/mutagenesis/effects.h5ad",
        differences=f"{MODEL}/mutagenesis/differences.tsv",
        profile=f"{MODEL}/mutagenesis/profile.tsv",
    log:
        "logs/mutate_genes/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/mutate_genes.{model}.tsv"
    wildcard_constraints:
        model=with_ability("substitutes"),
    conda:
        "../../envs/torch.yaml"
    threads: 1  # with more, the last digits differ
    resources:
        mem_mb=scaled(8000, dataset=15),
        runtime=scaled(120),
    params:
        settings=how_to_read("mutagenesis"),
        upstream=(config.get("populations") or {}).get("upstream"),
        code=model_code("mutate_genes"),
    message:
        "Mutating every base around the TSSs of some genes of {wildcards.name} in silico"
    script:
        "../scripts/mutate_genes.py"


rule plot_gene_mutagenesis:
    input:
        differences=f"{MODEL}/mutagenesis/differences.tsv",
        profile=f"{MODEL}/mutagenesis/profile.tsv",
    output:
        **model_figures(
            profile=("effects_by_position", "Effects of bases by position"),
            category="10. Populations",
        ),
        folder=report(
            directory(f"{MODEL}/mutagenesis/genes"),
            patterns=["{gene}.svg"],
            caption="../report/gene_effects.rst",
            category="10. Populations",
            subcategory="{model}",
            labels={"figure": "Effects of bases: {gene}"},
        ),
    log:
        "logs/plot_gene_mutagenesis/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("substitutes"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, differences=20, profile=20),
        runtime=scaled(30),
    params:
        code=code("plot_gene_mutagenesis"),
    message:
        "Drawing what bases around the TSSs of {wildcards.name} are worth"
    script:
        "../scripts/plot_gene_mutagenesis.py"


OUTPUTS["substitutes"] += ["figures/effects_by_position.svg", "mutagenesis/genes"]
OUTPUTS["by_population"] += ["predictions.h5ad"]
