"""From motifs to biology: known motifs, families, regulators, gene sets, motif space."""

CATEGORIES = config["motif_families"]["categories"]


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
        motifs="results/{name}/{family}/motifs.meme",
        database=DATABASE,
    output:
        hits="results/{name}/{family}/tomtom.tsv",
        calibration=family_table(
            "tomtom_calibration.tsv",
            "calibration_table",
            "4. Families of motifs",
            "Chance matches",
        ),
    log:
        "logs/align_motifs/{name}.{family}.log",
    benchmark:
        "benchmarks/results/{name}/align_motifs.{family}.tsv"
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
        "Aligning the motifs of {wildcards.family} in {wildcards.name} to known motifs"
    script:
        "../scripts/align_motifs.py"


rule group_filters:
    input:
        motifs="results/{name}/{family}/motifs.meme",
        table="results/{name}/{family}/motifs.tsv",
        hits="results/{name}/{family}/tomtom.tsv",
        calibration="results/{name}/{family}/tomtom_calibration.tsv",
        clusters="results/{name}/motif_clusters.tsv",
        database=DATABASE,
    output:
        filters="results/{name}/{family}/filter_families.tsv",
        families=family_table(
            "families.tsv", "families_table", "4. Families of motifs", "Table of families"
        ),
    log:
        "logs/group_filters/{name}.{family}.log",
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
        "Grouping the filters of {wildcards.family} in {wildcards.name} into families"
    script:
        "../scripts/group_filters.py"


rule score_families:
    input:
        influence="results/{name}/{family}/influence.h5ad",
        filters="results/{name}/{family}/filter_families.tsv",
        families="results/{name}/{family}/families.tsv",
        motifs="results/{name}/{family}/motifs.meme",
    output:
        **means_of_families("cell_type"),
        **(means_of_families("category") if CATEGORIES else {}),
        influence="results/{name}/{family}/family_influence.h5ad",
        consistency=family_table(
            "family_consistency.tsv",
            "consistency_table",
            "4. Families of motifs",
            "Consistency over folds",
        ),
        stability="results/{name}/{family}/family_stability.tsv",
        correlations="results/{name}/{family}/family_correlations.tsv",
    log:
        "logs/score_families/{name}.{family}.log",
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
        "Adding up influence by family of motifs in {wildcards.family}, {wildcards.name}"
    script:
        "../scripts/score_families.py"


rule find_regulators:
    input:
        families="results/{name}/{family}/family_influence.h5ad",
        expression=EXPRESSION or [],
    output:
        regulators="results/{name}/{family}/regulators.tsv",
        summary=family_table(
            "regulators_summary.tsv",
            "regulators_table",
            "5. Regulators and processes",
            "Best TF of each family",
        ),
    log:
        "logs/find_regulators/{name}.{family}.log",
    conda:
        "../../envs/motifs.yaml"
    resources:
        mem_mb=scaled(2000, expression=20, families=20),
        runtime=scaled(30, expression=0.1),
    params:
        score=SCORE,
        code=code("find_regulators"),
    message:
        "Looking for the TFs behind the families of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/find_regulators.py"


rule map_sequences:
    input:
        dataset="results/{name}/dataset.h5ad",
        models=per_fold("model.pt"),
        filters="results/{name}/{family}/filter_families.tsv",
        families="results/{name}/{family}/families.tsv",
        consistency="results/{name}/{family}/family_consistency.tsv",
    output:
        scores="results/{name}/{family}/motif_space.h5ad",
        combinations="results/{name}/{family}/family_combinations.tsv",
        pairs="results/{name}/{family}/family_co_occurrence.tsv",
    log:
        "logs/map_sequences/{name}.{family}.log",
    benchmark:
        "benchmarks/results/{name}/map_sequences.{family}.tsv"
    priority: ON_LONGEST_WAY
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(4000, dataset=15),
        runtime=scaled(60, dataset=1),
    params:
        share=config["motif_space"]["carrier_share"],
        seed=config["seed"],
        code=code("map_sequences"),
    message:
        "Mapping the sequences of {wildcards.name} by the motifs of {wildcards.family}"
    script:
        "../scripts/map_sequences.py"


rule correlate_gene_sets:
    input:
        families="results/{name}/{family}/family_influence.h5ad",
        expression=EXPRESSION or [],
        cells="results/{name}/cells.h5ad",
        members="results/{name}/cells_in_pools.tsv",
        gmt=GENE_SETS,
    output:
        sets="results/{name}/{family}/gene_sets.tsv",
        markers="results/{name}/{family}/markers.tsv",
        annotations="results/{name}/{family}/annotations.tsv",
        pools="results/{name}/{family}/pool_annotations.tsv",
        notes=family_table(
            "notes.tsv", "notes_table", "5. Regulators and processes", "What was left out"
        ),
    log:
        "logs/correlate_gene_sets/{name}.{family}.log",
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
        "Correlating gene sets and annotations with families of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/correlate_gene_sets.py"


rule plot_families:
    input:
        influence="results/{name}/{family}/family_influence.h5ad",
        by_cell_type=f"{FAMILY}/family_{SCORE}_by_cell_type.tsv",
        z=f"{FAMILY}/family_{SCORE}_by_cell_type_z.tsv",
        stability="results/{name}/{family}/family_stability.tsv",
        cells=CELL_TYPES,
        correlations="results/{name}/{family}/family_correlations.tsv",
        families="results/{name}/{family}/families.tsv",
        filters="results/{name}/{family}/filter_families.tsv",
        motifs="results/{name}/{family}/motifs.meme",
        database=DATABASE,
    output:
        **family_figures(
            heatmap=("family_heatmap", "Families by cell type"),
            gallery=("alignment_gallery", "Families and known motifs"),
            stability=("family_stability", "Influence over folds"),
            correlations=("family_correlations", "Families that go together"),
            pools=("pools_by_family", "Pools by family"),
            category="4. Families of motifs",
        ),
    log:
        "logs/plot_families/{name}.{family}.log",
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
        "Drawing the families of motifs of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/plot_families.py"


rule plot_regulators:
    input:
        families="results/{name}/{family}/family_influence.h5ad",
        regulators="results/{name}/{family}/regulators.tsv",
        expression=EXPRESSION or [],
        cells="results/{name}/cells.h5ad",
    output:
        **family_figures(
            volcano=("regulator_volcano", "TFs behind the families"),
            scatter=("influence_against_expression", "Influence against TF expression"),
            category="5. Regulators and processes",
        ),
    log:
        "logs/plot_regulators/{name}.{family}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, families=20, expression=20),
        runtime=scaled(30),
    params:
        score=SCORE,
        code=code("plot_regulators"),
    message:
        "Drawing the regulators found by {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/plot_regulators.py"


rule plot_motif_space:
    input:
        scores="results/{name}/{family}/motif_space.h5ad",
        consistency="results/{name}/{family}/family_consistency.tsv",
    output:
        **family_figures(
            umap=("motif_space", "Sequences by their motifs"),
            upset=("upset", "Families that share sequences"),
            category="4. Families of motifs",
        ),
    log:
        "logs/plot_motif_space/{name}.{family}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, scores=20),
        runtime=scaled(30),
    params:
        share=config["motif_space"]["carrier_share"],
        code=code("plot_motif_space"),
    message:
        "Drawing the motif space of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/plot_motif_space.py"


rule plot_gene_sets:
    input:
        sets="results/{name}/{family}/gene_sets.tsv",
        markers="results/{name}/{family}/markers.tsv",
        annotations="results/{name}/{family}/annotations.tsv",
        notes="results/{name}/{family}/notes.tsv",
        families="results/{name}/{family}/families.tsv",
        consistency="results/{name}/{family}/family_consistency.tsv",
    output:
        **family_figures(
            sets=("gene_set_heatmap", "Gene sets"),
            markers=("marker_heatmap", "Markers and annotations"),
            category="5. Regulators and processes",
        ),
    log:
        "logs/plot_gene_sets/{name}.{family}.log",
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, sets=20),
        runtime=scaled(30),
    params:
        code=code("plot_gene_sets"),
    message:
        "Drawing gene sets and annotations against families of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/plot_gene_sets.py"
