"""Which peak drives which gene in which cell: the cRE attention model on a trained first stage."""

LINK_FOLDER = f"{MODEL}/links"
LINK_RUN = f"{LINK_FOLDER}/{{variant}}"


wildcard_constraints:
    variant=one_of(LINK_VARIANTS),


if LINKS is not None:

    rule find_candidates:
        input:
            accessibility=dataset_of,
            annotation=ANNOTATION,
            expression=CELLS_EXPRESSION,
            aliases=ALIASES,
        output:
            genes=f"{LINK_FOLDER}/genes.tsv",
            pairs=f"{LINK_FOLDER}/pairs.tsv",
            left_out=f"{LINK_FOLDER}/left_out.tsv",
            steps=f"{LINK_FOLDER}/candidate_counts.tsv",
            folds=f"{LINK_FOLDER}/folds.tsv",
        log:
            "logs/find_candidates/{name}.{model}.log",
        wildcard_constraints:
            model=with_ability("embeds_cells"),
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(2000, accessibility=10, annotation=5),
            runtime=scaled(30),
        params:
            genome=where_genes_start(),
            chromosomes=how_to_read_genes()["chromosomes"],
            reach=how_to_link("reach", "promoter_reach"),
            folds=LINKS["folds"],
            seed=config["seed"],
            code=code("find_candidates"),
        message:
            "Finding the peaks that may drive each gene of {wildcards.name}"
        script:
            "../scripts/find_candidates.py"

    rule score_link_baselines:
        input:
            accessibility=dataset_of,
            expression=CELLS_EXPRESSION,
            genes=f"{LINK_FOLDER}/genes.tsv",
            pairs=f"{LINK_FOLDER}/pairs.tsv",
        output:
            table=f"{LINK_FOLDER}/baselines.tsv",
        log:
            "logs/score_link_baselines/{name}.{model}.log",
        benchmark:
            "benchmarks/results/{name}/score_link_baselines.{model}.tsv"
        wildcard_constraints:
            model=with_ability("embeds_cells"),
        conda:
            "../../envs/torch.yaml"
        resources:
            mem_mb=scaled(4000, accessibility=40, expression=40),
            runtime=scaled(60, accessibility=1),
        params:
            settings=how_to_score_simply(),
            pools=how_to_pool_for_links(),
            components=LINKS["expression"]["components"],
            seed=config["seed"],
            code=code("score_link_baselines"),
        message:
            "Scoring pairs of gene and peak of {wildcards.name} by simple methods"
        script:
            "../scripts/score_link_baselines.py"

    rule train_links:
        input:
            accessibility=dataset_of,
            expression=CELLS_EXPRESSION,
            model=FIRST_MODEL,
            genes=f"{LINK_FOLDER}/genes.tsv",
            pairs=f"{LINK_FOLDER}/pairs.tsv",
            folds=f"{LINK_FOLDER}/folds.tsv",
        output:
            model=f"{LINK_RUN}/fold{{fold}}/model.pt",
            history=f"{LINK_RUN}/fold{{fold}}/history.tsv",
        log:
            "logs/train_links/{name}.{model}.{variant}.fold{fold}.log",
        benchmark:
            "benchmarks/results/{name}/train_links.{model}.{variant}.fold{fold}.tsv"
        wildcard_constraints:
            model=with_ability("embeds_cells"),
        conda:
            "../../envs/torch.yaml"
        threads: config["training"]["threads"]
        resources:
            mem_mb=scaled(6000, accessibility=60, expression=60),
            runtime=scaled(120, accessibility=10),
        params:
            settings=how_to_train_links(),
            device=DEVICE,
            seed=config["seed"],
            code=model_code("train_links"),
        message:
            "Learning which peaks drive genes of {wildcards.name}: {wildcards.variant}, fold {wildcards.fold}"
        script:
            "../scripts/train_links.py"

    rule score_links:
        input:
            accessibility=dataset_of,
            expression=CELLS_EXPRESSION,
            model=FIRST_MODEL,
            genes=f"{LINK_FOLDER}/genes.tsv",
            pairs=f"{LINK_FOLDER}/pairs.tsv",
            folds=f"{LINK_FOLDER}/folds.tsv",
            baselines=f"{LINK_FOLDER}/baselines.tsv",
            models=models_of_links,
        output:
            links=f"{LINK_RUN}/links.tsv",
            held_out=f"{LINK_RUN}/held_out.tsv",
            by_type=f"{LINK_RUN}/activities_by_type.h5ad",
        log:
            "logs/score_links/{name}.{model}.{variant}.log",
        benchmark:
            "benchmarks/results/{name}/score_links.{model}.{variant}.tsv"
        wildcard_constraints:
            model=with_ability("embeds_cells"),
        conda:
            "../../envs/torch.yaml"
        threads: config["training"]["threads"]
        resources:
            mem_mb=scaled(6000, accessibility=60, expression=60),
            runtime=scaled(120, accessibility=2),
        params:
            settings=how_to_score_links(),
            device=DEVICE,
            seed=config["seed"],
            code=model_code("score_links"),
        message:
            "Scoring the links of {wildcards.name}: {wildcards.variant}"
        script:
            "../scripts/score_links.py"

    rule write_link_activities:
        input:
            accessibility=dataset_of,
            expression=CELLS_EXPRESSION,
            model=FIRST_MODEL,
            genes=f"{LINK_FOLDER}/genes.tsv",
            pairs=f"{LINK_FOLDER}/pairs.tsv",
            links=f"{LINK_RUN}/links.tsv",
        output:
            of_cells=f"{LINK_RUN}/activities.h5ad",
            specific=f"{LINK_RUN}/specific.tsv",
        log:
            "logs/write_link_activities/{name}.{model}.{variant}.log",
        benchmark:
            "benchmarks/results/{name}/write_link_activities.{model}.{variant}.tsv"
        wildcard_constraints:
            model=with_ability("embeds_cells"),
        conda:
            "../../envs/torch.yaml"
        threads: config["training"]["threads"]
        resources:
            mem_mb=scaled(6000, accessibility=60, expression=60),
            runtime=scaled(120, accessibility=2),
        params:
            settings=how_to_score_links(),
            device=DEVICE,
            seed=config["seed"],
            code=model_code("write_link_activities"),
        message:
            "Writing what strong cREs of {wildcards.name} do in each cell"
        script:
            "../scripts/write_link_activities.py"

    rule write_link_tracks:
        input:
            links=f"{LINK_FOLDER}/model/links.tsv",
            accessibility=dataset_of,
        output:
            bedpe=f"{LINK_FOLDER}/tracks/links.bedpe",
            interact=f"{LINK_FOLDER}/tracks/links.interact",
            by_type=directory(f"{LINK_FOLDER}/tracks/by_cell_type"),
        log:
            "logs/write_link_tracks/{name}.{model}.log",
        wildcard_constraints:
            model=with_ability("embeds_cells"),
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(2000, accessibility=10),
            runtime=scaled(20),
        params:
            code=code("write_link_tracks"),
        message:
            "Writing the links of {wildcards.name} as tracks"
        script:
            "../scripts/write_link_tracks.py"

    OUTPUTS["embeds_cells"] += [
        "links/left_out.tsv",
        "links/model/activities.h5ad",
        "links/tracks/links.bedpe",
        "links/tracks/links.interact",
    ]
    SUMMARISED["embeds_cells"] += ["links/model/links.tsv"]
