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
            evaluation="results/{name}/{family}/evaluation.tsv",
            motifs="results/{name}/{family}/motifs.meme",
            influence="results/{name}/{family}/influence.h5ad",
            clusters="results/{name}/motif_clusters.tsv",
            families="results/{name}/{family}/family_influence.h5ad",
            regulators="results/{name}/{family}/regulators.tsv",
            database=DATABASE,
        output:
            summary=report(
                "results/{name}/{family}/truth/summary.tsv",
                caption="../report/truth_summary.rst",
                category="7. Comparison with the truth",
                subcategory="{family}",
                labels={"figure": "What was found of what was planted"},
            ),
            motifs="results/{name}/{family}/truth/motifs.tsv",
            pairs="results/{name}/{family}/truth/influence.tsv",
            families="results/{name}/{family}/truth/families.tsv",
        log:
            "logs/compare_truth/{name}.{family}.log",
        benchmark:
            "benchmarks/results/{name}/compare_truth.{family}.tsv"
        conda:
            "../../envs/motifs.yaml"
        resources:
            mem_mb=scaled(2000, dataset=15, influence=20),
            runtime=scaled(30),
        params:
            database=config["database"],
            code=code("compare_truth"),
        message:
            "Comparing {wildcards.family} with the truth of {wildcards.name}"
        script:
            "../scripts/compare_truth.py"

    rule plot_truth:
        input:
            pairs="results/{name}/{family}/truth/influence.tsv",
            cells="results/{name}/cells.h5ad",
        output:
            **family_figures(
                figure=("influence_against_truth", "Influence against true activity"),
                category="7. Comparison with the truth",
            ),
        log:
            "logs/plot_truth/{name}.{family}.log",
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
