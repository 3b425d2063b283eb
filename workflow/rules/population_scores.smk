"""How well populations are predicted, beside simple predictors and the tissue's model."""

if POPULATIONS is not None:

    rule run_population_baselines:
        input:
            dataset="results/{name}/populations.h5ad",
            folds="results/{name}/population_folds.tsv",
        output:
            predictions="results/{name}/population_baselines/fold{fold}/predictions.h5ad",
        log:
            "logs/run_population_baselines/{name}.fold{fold}.log",
        benchmark:
            "benchmarks/results/{name}/run_population_baselines.fold{fold}.tsv"
        conda:
            "../../envs/motifs.yaml"
        resources:
            mem_mb=scaled(4000, dataset=50),
            runtime=scaled(60, dataset=2),
        params:
            seed=config["seed"],
            kmers={key: config["comparison"][key] for key in ("k", "both_strands", "bins")},
            code=code("run_population_baselines"),
        message:
            "Fitting baselines of populations, fold {wildcards.fold} of {wildcards.name}"
        script:
            "../scripts/run_population_baselines.py"


rule score_populations:
    input:
        dataset=dataset_of,
        predictions=f"{MODEL}/predictions.h5ad",
        baselines=per_fold("predictions.h5ad", "results/{name}/population_baselines"),
    output:
        scores=f"{MODEL}/population_scores.tsv",
        summary=model_table(
            "population_summary.tsv", "population_summary", "10. Populations", "Table of scores"
        ),
        gains=f"{MODEL}/population_gains.tsv",
        genes=f"{MODEL}/population_genes.tsv",
        cross=f"{MODEL}/population_cross.tsv",
        differences=model_table(
            "population_differences.tsv",
            "population_differences",
            "10. Populations",
            "Differences of populations",
        ),
    log:
        "logs/score_populations/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("by_population"),
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(4000, dataset=15, predictions=20),
        runtime=scaled(30, dataset=0.5),
    params:
        code=code("score_populations"),
    message:
        "Scoring the predictions of populations of {wildcards.name}"
    script:
        "../scripts/score_populations.py"


rule plot_populations:
    input:
        scores=f"{MODEL}/population_scores.tsv",
        gains=f"{MODEL}/population_gains.tsv",
        genes=f"{MODEL}/population_genes.tsv",
        cross=f"{MODEL}/population_cross.tsv",
    output:
        **model_figures(
            scores=("population_scores", "Scores of populations"),
            gains=("gain_against_similarity", "Gain over the tissue's model"),
            genes=("gene_r_against_variance", "Genes over populations"),
            cross=("cross_heatmap", "Every model on every population"),
            category="10. Populations",
        ),
    log:
        "logs/plot_populations/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("by_population"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, scores=20, genes=20),
        runtime=scaled(30),
    params:
        code=code("plot_populations"),
    message:
        "Drawing how well populations of {wildcards.name} are predicted"
    script:
        "../scripts/plot_populations.py"


OUTPUTS["by_population"] += [
    "population_summary.tsv",
    "population_differences.tsv",
    "figures/population_scores.svg",
    "figures/gain_against_similarity.svg",
]
SUMMARISED["by_population"] += ["population_summary.tsv"]
