"""Simulated data only: what was found of what was planted."""

if TRUTH:

    rule compare_truth:
        input:
            planted="results/{name}/simulation/truth/motifs.meme",
            activities="results/{name}/simulation/truth/activities.tsv",
            expectation="results/{name}/simulation/truth/expectation.h5ad",
            dataset="results/{name}/dataset.h5ad",
            members="results/{name}/cells_in_pools.tsv",
            folds="results/{name}/folds.tsv",
            evaluation="results/{name}/{model}/evaluation.tsv",
            motifs="results/{name}/{model}/motifs.meme",
            influence="results/{name}/{model}/influence.h5ad",
            clusters="results/{name}/motif_clusters.tsv",
            families="results/{name}/{model}/family_influence.h5ad",
            regulators="results/{name}/{model}/regulators.tsv",
            database=DATABASE,
        output:
            summary=report(
                "results/{name}/{model}/truth/summary.tsv",
                caption="../report/truth_summary.rst",
                category="07. Comparison with the truth",
                subcategory="{model}",
                labels={"figure": "What was found of what was planted"},
            ),
            motifs="results/{name}/{model}/truth/motifs.tsv",
            pairs="results/{name}/{model}/truth/influence.tsv",
            families="results/{name}/{model}/truth/families.tsv",
        log:
            "logs/compare_truth/{name}.{model}.log",
        benchmark:
            "benchmarks/results/{name}/compare_truth.{model}.tsv"
        wildcard_constraints:
            model=with_ability("filters"),
        conda:
            "../../envs/motifs.yaml"
        resources:
            mem_mb=scaled(2000, dataset=15, influence=20),
            runtime=scaled(30),
        params:
            database=config["database"],
            code=code("compare_truth"),
        message:
            "Comparing {wildcards.model} with the truth of {wildcards.name}"
        script:
            "../scripts/compare_truth.py"

    rule plot_truth:
        input:
            pairs="results/{name}/{model}/truth/influence.tsv",
            cell_types=CELL_TYPES,
        output:
            **model_figures(
                figure=("influence_against_truth", "Influence against true activity"),
                category="07. Comparison with the truth",
            ),
        log:
            "logs/plot_truth/{name}.{model}.log",
        wildcard_constraints:
            model=with_ability("filters"),
        conda:
            "../../envs/plots.yaml"
        resources:
            mem_mb=scaled(2000),
            runtime=scaled(10),
        params:
            score=SCORE,
            code=code("plot_truth"),
        message:
            "Drawing influence against true activity in {wildcards.name}"
        script:
            "../scripts/plot_truth.py"

    OUTPUTS["filters"] += ["truth/summary.tsv", "figures/influence_against_truth.svg"]
