"""Simulated multiome only: what models of cells found of what was planted."""

if SIMULATED_MULTIOME:

    rule compare_multiome_truth:
        input:
            accessibility=dataset_of,
            model=FIRST_MODEL,
            motifs="results/{name}/simulation/truth/motifs.meme",
            activities="results/{name}/simulation/truth/activities.tsv",
            sites="results/{name}/simulation/truth/sites.tsv",
        output:
            summary=model_table(
                "truth/summary.tsv",
                "multiome_truth_summary",
                "07. Comparison with the truth",
                "What was found of what was planted",
            ),
            activity=f"{MODEL}/truth/tf_activity.tsv",
            pairs=f"{MODEL}/truth/tf_activity_by_cell_type.tsv",
            sites=f"{MODEL}/truth/sites.tsv",
        log:
            "logs/compare_multiome_truth/{name}.{model}.log",
        benchmark:
            "benchmarks/results/{name}/compare_multiome_truth.{model}.tsv"
        wildcard_constraints:
            model=with_ability("inserts"),
        conda:
            "../../envs/motifs.yaml"
        threads: config["training"]["threads"]
        resources:
            mem_mb=scaled(4000, accessibility=40),
            runtime=scaled(60, accessibility=1),
        params:
            settings=how_to_read("tf_activity", "n_backgrounds", "change_of"),
            seed=config["seed"],
            code=model_code("compare_multiome_truth"),
        message:
            "Comparing {wildcards.model} with the truth of {wildcards.name}"
        script:
            "../scripts/compare_multiome_truth.py"

    rule plot_multiome_truth:
        input:
            pairs=f"{MODEL}/truth/tf_activity_by_cell_type.tsv",
            cell_types=CELL_TYPES,
        output:
            **model_figures(
                figure=("activity_against_truth", "TF activity against the truth"),
                category="07. Comparison with the truth",
            ),
        log:
            "logs/plot_multiome_truth/{name}.{model}.log",
        wildcard_constraints:
            model=with_ability("inserts"),
        conda:
            "../../envs/plots.yaml"
        resources:
            mem_mb=scaled(2000),
            runtime=scaled(10),
        params:
            code=code("plot_multiome_truth"),
        message:
            "Drawing TF activity against the truth of {wildcards.name}"
        script:
            "../scripts/plot_multiome_truth.py"

    OUTPUTS["inserts"] += ["truth/summary.tsv", "figures/activity_against_truth.svg"]
