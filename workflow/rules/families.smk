"""From motifs to biology: known motifs, families, regulators, gene sets, motif space."""

CATEGORIES = config["motif_families"]["categories"]
# what is configured and can be compared: no figure says that there is nothing to draw
SETS_DRAWN = bool(GENE_SETS and EXPRESSION)
MARKERS_DRAWN = GIVEN is None and bool(
    (config["gene_sets"]["markers"] and EXPRESSION)
    or config["annotations"]["columns"]
    or config["annotations"]["pseudotime"]
)


rule cluster_database:
    input:
        database=DATABASE,
    output:
        clusters="results/{name}/motif_clusters.tsv",
    log:
        "logs/cluster_database/{name}.log",
    benchmark:
        "benchmarks/results/{name}/cluster_database.tsv"
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(30),
    params:
        database=config["database"],
        code=code("cluster_database"),
    message:
        "Clustering the known motifs for {wildcards.name}"
    script:
        "../scripts/cluster_database.py"


rule align_motifs:
    input:
        motifs="results/{name}/{model}/motifs.meme",
        database=DATABASE,
    output:
        hits="results/{name}/{model}/tomtom.tsv",
        calibration=model_table(
            "tomtom_calibration.tsv",
            "calibration_table",
            "04. Families of motifs",
            "Chance matches",
        ),
    log:
        "logs/align_motifs/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/align_motifs.{model}.tsv"
    wildcard_constraints:
        model=with_ability("filters"),
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(4000, motifs=100),
        runtime=scaled(30, motifs=30),
    params:
        database=config["database"],
        alignment=config["alignment"],
        seed=config["seed"],
        code=code("align_motifs"),
    message:
        "Aligning the motifs of {wildcards.model} in {wildcards.name} to known motifs"
    script:
        "../scripts/align_motifs.py"


rule group_filters:
    input:
        motifs="results/{name}/{model}/motifs.meme",
        table="results/{name}/{model}/motifs.tsv",
        hits="results/{name}/{model}/tomtom.tsv",
        calibration="results/{name}/{model}/tomtom_calibration.tsv",
        clusters="results/{name}/motif_clusters.tsv",
        database=DATABASE,
    output:
        filters="results/{name}/{model}/filter_families.tsv",
        families=model_table(
            "families.tsv", "families_table", "04. Families of motifs", "Table of families"
        ),
    log:
        "logs/group_filters/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(2000, motifs=100, hits=20),
        runtime=scaled(30),
    params:
        database=config["database"],
        min_share=config["motif_families"]["min_share"],
        n_folds=config["folds"]["n_folds"],
        code=code("group_filters"),
    message:
        "Grouping the filters of {wildcards.model} in {wildcards.name} into families"
    script:
        "../scripts/group_filters.py"


rule score_families:
    input:
        influence="results/{name}/{model}/influence.h5ad",
        filters="results/{name}/{model}/filter_families.tsv",
        families="results/{name}/{model}/families.tsv",
        motifs="results/{name}/{model}/motifs.meme",
    output:
        **means_of_families("cell_type"),
        **(means_of_families("category") if CATEGORIES else {}),
        influence="results/{name}/{model}/family_influence.h5ad",
        consistency=model_table(
            "family_consistency.tsv",
            "consistency_table",
            "04. Families of motifs",
            "Consistency over folds",
        ),
        stability="results/{name}/{model}/family_stability.tsv",
        correlations="results/{name}/{model}/family_correlations.tsv",
    log:
        "logs/score_families/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(2000, influence=20),
        runtime=scaled(30),
    params:
        categories=CATEGORIES,
        score=SCORE,
        code=code("score_families"),
    message:
        "Adding up influence by family of motifs in {wildcards.model}, {wildcards.name}"
    script:
        "../scripts/score_families.py"


rule find_regulators:
    input:
        families="results/{name}/{model}/family_influence.h5ad",
        expression=EXPRESSION or [],
    output:
        regulators="results/{name}/{model}/regulators.tsv",
        summary=model_table(
            "regulators_summary.tsv",
            "regulators_table",
            "05. Regulators and processes",
            "Best TF of each family",
        ),
    log:
        "logs/find_regulators/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(2000, expression=20, families=20),
        runtime=scaled(30, expression=0.1),
    params:
        score=SCORE,
        code=code("find_regulators"),
    message:
        "Looking for the TFs behind the families of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/find_regulators.py"


rule map_sequences:
    input:
        dataset=dataset_of,
        models=per_fold("model.pt"),
        filters="results/{name}/{model}/filter_families.tsv",
        families="results/{name}/{model}/families.tsv",
        consistency="results/{name}/{model}/family_consistency.tsv",
    output:
        scores="results/{name}/{model}/motif_space.h5ad",
        combinations="results/{name}/{model}/family_combinations.tsv",
        pairs="results/{name}/{model}/family_co_occurrence.tsv",
    log:
        "logs/map_sequences/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/map_sequences.{model}.tsv"
    wildcard_constraints:
        model=with_ability("filters"),
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(4000, dataset=15),
        runtime=scaled(60, dataset=1),
    params:
        share=config["motif_space"]["carrier_share"],
        seed=config["seed"],
        code=model_code("map_sequences"),
    message:
        "Mapping the sequences of {wildcards.name} by the motifs of {wildcards.model}"
    script:
        "../scripts/map_sequences.py"


rule correlate_gene_sets:
    input:
        families="results/{name}/{model}/family_influence.h5ad",
        expression=EXPRESSION or [],
        cells="results/{name}/cells.h5ad",
        members="results/{name}/cells_in_pools.tsv",
        gmt=GENE_SETS,
    output:
        sets="results/{name}/{model}/gene_sets.tsv",
        markers="results/{name}/{model}/markers.tsv",
        annotations="results/{name}/{model}/annotations.tsv",
        pools="results/{name}/{model}/pool_annotations.tsv",
        notes=model_table(
            "notes.tsv", "notes_table", "05. Regulators and processes", "What was left out"
        ),
    log:
        "logs/correlate_gene_sets/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/cells.yaml"
    resources:
        mem_mb=scaled(4000, cells=5, expression=10),
        runtime=scaled(60, cells=0.1),
    params:
        # the GMT is an input
        gene_sets={k: v for k, v in config["gene_sets"].items() if k != "gmt"},
        annotations=config["annotations"],
        score=SCORE,
        seed=config["seed"],
        code=code("correlate_gene_sets"),
    message:
        "Correlating gene sets and annotations with families of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/correlate_gene_sets.py"


rule plot_families:
    input:
        influence="results/{name}/{model}/family_influence.h5ad",
        by_cell_type=f"{MODEL}/family_{SCORE}_by_cell_type.tsv",
        z=f"{MODEL}/family_{SCORE}_by_cell_type_z.tsv",
        stability="results/{name}/{model}/family_stability.tsv",
        cell_types=CELL_TYPES,
        correlations="results/{name}/{model}/family_correlations.tsv",
        families="results/{name}/{model}/families.tsv",
        filters="results/{name}/{model}/filter_families.tsv",
        motifs="results/{name}/{model}/motifs.meme",
        database=DATABASE,
    output:
        **model_figures(
            heatmap=("family_heatmap", "Families by cell type"),
            gallery=("alignment_gallery", "Families and known motifs"),
            stability=("family_stability", "Influence over folds"),
            correlations=("family_correlations", "Families that go together"),
            pools=("pools_by_family", "Pools by family"),
            category="04. Families of motifs",
        ),
    log:
        "logs/plot_families/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, influence=20),
        runtime=scaled(30),
    params:
        database=config["database"],
        categories=CATEGORIES,
        score=SCORE,
        code=code("plot_families"),
    message:
        "Drawing the families of motifs of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/plot_families.py"


rule plot_regulators:
    input:
        families="results/{name}/{model}/family_influence.h5ad",
        regulators="results/{name}/{model}/regulators.tsv",
        expression=EXPRESSION or [],
        cell_types=CELL_TYPES,
    output:
        **model_figures(
            volcano=("regulator_volcano", "TFs behind the families"),
            scatter=("influence_against_expression", "Influence against TF expression"),
            category="05. Regulators and processes",
        ),
    log:
        "logs/plot_regulators/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, families=20, expression=20),
        runtime=scaled(30),
    params:
        score=SCORE,
        code=code("plot_regulators"),
    message:
        "Drawing the regulators found by {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/plot_regulators.py"


rule plot_motif_space:
    input:
        scores="results/{name}/{model}/motif_space.h5ad",
        consistency="results/{name}/{model}/family_consistency.tsv",
    output:
        **model_figures(
            umap=("motif_space", "Sequences by their motifs"),
            upset=("upset", "Families that share sequences"),
            category="04. Families of motifs",
        ),
    log:
        "logs/plot_motif_space/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, scores=20),
        runtime=scaled(30),
    params:
        share=config["motif_space"]["carrier_share"],
        code=code("plot_motif_space"),
    message:
        "Drawing the motif space of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/plot_motif_space.py"


if SETS_DRAWN or MARKERS_DRAWN:

    rule plot_gene_sets:
        input:
            sets="results/{name}/{model}/gene_sets.tsv",
            markers="results/{name}/{model}/markers.tsv",
            annotations="results/{name}/{model}/annotations.tsv",
            notes="results/{name}/{model}/notes.tsv",
            families="results/{name}/{model}/families.tsv",
            consistency="results/{name}/{model}/family_consistency.tsv",
        output:
            **model_figures(
                **({"sets": ("gene_set_heatmap", "Gene sets")} if SETS_DRAWN else {}),
                **(
                    {"markers": ("marker_heatmap", "Markers and annotations")}
                    if MARKERS_DRAWN
                    else {}
                ),
                category="05. Regulators and processes",
            ),
        log:
            "logs/plot_gene_sets/{name}.{model}.log",
        wildcard_constraints:
            model=with_ability("filters"),
        conda:
            "../../envs/plots.yaml"
        resources:
            mem_mb=scaled(2000, sets=20),
            runtime=scaled(30),
        params:
            code=code("plot_gene_sets"),
        message:
            "Drawing gene sets and annotations against families of {wildcards.model} in {wildcards.name}"
        script:
            "../scripts/plot_gene_sets.py"


OUTPUTS["filters"] += ["figures/family_heatmap.svg", "figures/motif_space.svg"]
if GIVEN is None:  # cells and their expression are known
    SUMMARISED["filters"] += ["notes.tsv"]
if SETS_DRAWN:
    OUTPUTS["filters"] += ["figures/gene_set_heatmap.svg"]
if MARKERS_DRAWN:
    OUTPUTS["filters"] += ["figures/marker_heatmap.svg"]
if EXPRESSION:
    OUTPUTS["filters"] += ["regulators_summary.tsv", "figures/regulator_volcano.svg"]
    SUMMARISED["filters"] += ["regulators_summary.tsv"]
SUMMARISED["filters"] += ["family_influence.h5ad", "family_effect_by_cell_type.tsv"]
