"""How links compare with simple methods: by the planted truth, or by the user's; and figures."""

LINKING = "11. Links of peaks and genes"

if LINKS is not None:

    rule evaluate_links:
        input:
            unpack(link_truths),
            links=f"{MODEL}/links/model/links.tsv",
            by_type=f"{MODEL}/links/model/activities_by_type.h5ad",
            ablations=spoiled_links,
            accessibility=dataset_of,
        output:
            **(
                {
                    "planted": model_table(
                        "links/planted.tsv", "link_truth", LINKING, "What was found of the links"
                    )
                }
                if SIMULATED_LINKS
                else {}
            ),
            scores=model_table(
                "links/evaluation.tsv", "link_scores_table", LINKING, "Methods against the truth"
            ),
        log:
            "logs/evaluate_links/{name}.{model}.log",
        benchmark:
            "benchmarks/results/{name}/evaluate_links.{model}.tsv"
        wildcard_constraints:
            model=with_ability("embeds_cells"),
        conda:
            "../../envs/torch.yaml"
        resources:
            mem_mb=scaled(4000, links=100),
            runtime=scaled(60, links=1),
        params:
            settings=LINKS["evaluation"],
            ablations=LINKS["ablations"],
            truths=list(LINK_TRUTHS),
            seed=config["seed"],
            code=code("evaluate_links"),
        message:
            "Comparing methods that link peaks with genes of {wildcards.name}"
        script:
            "../scripts/evaluate_links.py"

    rule plot_links:
        input:
            links=f"{MODEL}/links/model/links.tsv",
            held_out=f"{MODEL}/links/model/held_out.tsv",
            by_type=f"{MODEL}/links/model/activities_by_type.h5ad",
            scores=f"{MODEL}/links/evaluation.tsv",
            cell_types=CELL_TYPES,
        output:
            **model_figures(
                distances=("links_by_distance", "Links by distance and cell type"),
                heatmap=("link_activities", "What strong cREs do in each cell type"),
                held_out=("links_held_out", "Genes and cells that were not seen"),
                **({"methods": ("link_methods", "Methods compared")} if HAS_LINK_TRUTH else {}),
                category=LINKING,
            ),
        log:
            "logs/plot_links/{name}.{model}.log",
        wildcard_constraints:
            model=with_ability("embeds_cells"),
        conda:
            "../../envs/plots.yaml"
        resources:
            mem_mb=scaled(2000, links=50),
            runtime=scaled(20),
        params:
            reach=LINKS["reach"],
            code=code("plot_links"),
        message:
            "Drawing the links of {wildcards.name}"
        script:
            "../scripts/plot_links.py"

    OUTPUTS["embeds_cells"] += [
        "links/evaluation.tsv",
        "figures/links_by_distance.svg",
        "figures/link_activities.svg",
    ]
    SUMMARISED["embeds_cells"] += ["links/evaluation.tsv"]
