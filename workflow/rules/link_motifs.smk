"""Known motifs in peaks that drive genes, and the TFs that may be behind them."""

if LINKS is not None:

    rule find_link_motifs:
        input:
            links=f"{MODEL}/links/model/links.tsv",
            by_type=f"{MODEL}/links/model/activities_by_type.h5ad",
            accessibility=dataset_of,
            expression=CELLS_EXPRESSION,
            annotation=ANNOTATION,
            database=DATABASE,
        output:
            motifs=model_table(
                "links/motifs.tsv", "link_motifs_table", LINKING, "Motifs in linked peaks"
            ),
            regulators=model_table(
                "links/regulators.tsv", "link_regulators_table", LINKING, "TFs behind links"
            ),
        log:
            "logs/find_link_motifs/{name}.{model}.log",
        benchmark:
            "benchmarks/results/{name}/find_link_motifs.{model}.tsv"
        wildcard_constraints:
            model=with_ability("embeds_cells"),
        conda:
            "../../envs/motifs.yaml"
        threads: 2
        resources:
            mem_mb=scaled(4000, accessibility=40, expression=40),
            runtime=scaled(60, accessibility=1),
        params:
            database=KNOWN_MOTIFS,
            threshold=COMPARISON["scan_threshold"],
            genome=where_genes_start(),
            relative=LINKS["expression"]["relative"],
            seed=config["seed"],
            code=code("find_link_motifs"),
        message:
            "Finding known motifs in linked peaks of {wildcards.name}"
        script:
            "../scripts/find_link_motifs.py"

    rule plot_link_motifs:
        input:
            motifs=f"{MODEL}/links/motifs.tsv",
            regulators=f"{MODEL}/links/regulators.tsv",
        output:
            **model_figures(
                motifs=("link_motifs", "Motifs in linked peaks, and their TFs"),
                category=LINKING,
            ),
        log:
            "logs/plot_link_motifs/{name}.{model}.log",
        wildcard_constraints:
            model=with_ability("embeds_cells"),
        conda:
            "../../envs/plots.yaml"
        resources:
            mem_mb=scaled(2000, motifs=50),
            runtime=scaled(20),
        params:
            code=code("plot_link_motifs"),
        message:
            "Drawing the motifs in linked peaks of {wildcards.name}"
        script:
            "../scripts/plot_link_motifs.py"

    OUTPUTS["embeds_cells"] += ["links/regulators.tsv", "figures/link_motifs.svg"]
