"""Simulated populations only: how near predictions come to the truth, and where they gain."""

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
                "7. Comparison with the truth",
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
            code=code("compare_population_truth"),
        message:
            "Comparing the predictions of {wildcards.name} with the truth"
        script:
            "../scripts/compare_population_truth.py"

    OUTPUTS["by_population"] += ["truth/populations.tsv"]
