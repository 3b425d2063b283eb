"""How much each motif moves each pool and cell type."""


rule score_influence:
    input:
        dataset=dataset_of,
        folds=folds_of,
        model="results/{name}/{model}/fold{fold}/model.pt",
    output:
        influence="results/{name}/{model}/fold{fold}/influence.tsv",
        effect="results/{name}/{model}/fold{fold}/effect.tsv",
    log:
        "logs/score_influence/{name}.{model}.fold{fold}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(3000, dataset=15),
        runtime=scaled(10, dataset=0.1),
    params:
        code=model_code("score_influence"),
    message:
        "Scoring influence in {wildcards.model}, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/score_influence.py"


rule gather_influence:
    input:
        dataset=dataset_of,
        motifs="results/{name}/{model}/motifs.tsv",
        influence=per_fold("influence.tsv"),
        effect=per_fold("effect.tsv"),
    output:
        influence="results/{name}/{model}/influence.h5ad",
        influence_by_cell_type="results/{name}/{model}/influence_by_cell_type.tsv",
        influence_by_cell_type_z="results/{name}/{model}/influence_by_cell_type_z.tsv",
        effect_by_cell_type="results/{name}/{model}/effect_by_cell_type.tsv",
        effect_by_cell_type_z="results/{name}/{model}/effect_by_cell_type_z.tsv",
    log:
        "logs/gather_influence/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(2000, dataset=15, influence=10),
        runtime=scaled(10, dataset=0.1),
    params:
        code=code("gather_influence"),
    message:
        "Gathering the influence of motifs of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/gather_influence.py"


rule plot_influence:
    input:
        influence="results/{name}/{model}/influence.h5ad",
        by_cell_type=f"{MODEL}/{SCORE}_by_cell_type.tsv",
        z=f"{MODEL}/{SCORE}_by_cell_type_z.tsv",
        cell_types=CELL_TYPES,
        motifs="results/{name}/{model}/motifs.meme",
        table="results/{name}/{model}/motifs.tsv",
    output:
        **model_figures(
            heatmap=("influence_heatmap", "Influence by cell type"),
            gallery=("logo_gallery", "Motifs"),
            pca=("pools_pca", "Pools by influence"),
            category="03. Motifs and their influence",
        ),
    log:
        "logs/plot_influence/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("filters"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, influence=20),
        runtime=scaled(30),
    params:
        n_motifs=config["figures"]["n_motifs"],
        score=SCORE,
        code=code("plot_influence"),
    message:
        "Drawing motifs and their influence of {wildcards.model} in {wildcards.name}"
    script:
        "../scripts/plot_influence.py"


OUTPUTS["filters"] += ["influence_by_cell_type_z.tsv", "figures/influence_heatmap.svg"]
