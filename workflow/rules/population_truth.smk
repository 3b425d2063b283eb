"""Simulated populations only: how near predictions come to the truth, and which sites they show."""

if SIMULATED_POPULATIONS:

    rule compare_population_truth:
        input:
            dataset="results/{name}/populations.h5ad",
            predictions="results/{name}/{model}/predictions.h5ad",
            genes="results/{name}/simulation/truth/genes.tsv",
            expectation="results/{name}/simulation/truth/expectation.h5ad",
        output:
            truth=model_table(
                "truth/populations.tsv",
                "population_truth",
                "07. Comparison with the truth",
                "Predictions against the truth",
            ),
        log:
            "logs/compare_population_truth/{name}.{model}.log",
        wildcard_constraints:
            model=with_ability("by_population"),
        conda:
            "../../envs/motifs.yaml"
        resources:
            mem_mb=scaled(2000, dataset=15, predictions=20),
            runtime=scaled(30),
        params:
            seed=config["seed"],
            code=code("compare_population_truth"),
        message:
            "Comparing the predictions of {wildcards.name} with the truth"
        script:
            "../scripts/compare_population_truth.py"

    rule find_planted_sites:
        input:
            dataset=dataset_of,
            folds=folds_of,
            models=per_fold("model.pt"),
            sites="results/{name}/simulation/truth/sites.tsv",
            activities="results/{name}/simulation/truth/activities.tsv",
        output:
            ranks=f"{MODEL}/truth/planted_sites.tsv",
            found=model_table(
                "truth/planted_motifs.tsv",
                "planted_motifs",
                "07. Comparison with the truth",
                "Planted sites that substitutions show",
            ),
        log:
            "logs/find_planted_sites/{name}.{model}.log",
        benchmark:
            "benchmarks/results/{name}/find_planted_sites.{model}.tsv"
        wildcard_constraints:
            model=with_ability("substitutes"),
        conda:
            "../../envs/torch.yaml"
        threads: 1  # with more, the last digits differ
        resources:
            mem_mb=scaled(8000, dataset=15),
            runtime=scaled(60),
        params:
            n_genes=100,
            seed=config["seed"],
            upstream=config["populations"]["upstream"],
            code=model_code("find_planted_sites"),
        message:
            "Ranking what substitutions do in the planted sites of {wildcards.name}"
        script:
            "../scripts/find_planted_sites.py"

    OUTPUTS["by_population"] += ["truth/populations.tsv"]
    OUTPUTS["substitutes"] += ["truth/planted_motifs.tsv"]
