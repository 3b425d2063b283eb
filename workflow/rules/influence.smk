"""How much each motif moves each pool and cell type."""


rule score_influence:
    input:
        dataset="results/{name}/dataset.h5ad",
        folds="results/{name}/folds.tsv",
        model="results/{name}/{family}/fold{fold}/model.pt",
    output:
        influence="results/{name}/{family}/fold{fold}/influence.tsv",
        effect="results/{name}/{family}/fold{fold}/effect.tsv",
    log:
        "logs/score_influence/{name}.{family}.fold{fold}.log",
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(3000, dataset=15),
        runtime=scaled(10, dataset=0.1),
    params:
        code=code("score_influence"),
    message:
        "Scoring influence in {wildcards.family}, fold {wildcards.fold} of {wildcards.name}"
    script:
        "../scripts/score_influence.py"


rule gather_influence:
    input:
        dataset="results/{name}/dataset.h5ad",
        motifs="results/{name}/{family}/motifs.tsv",
        influence=per_fold("influence.tsv"),
        effect=per_fold("effect.tsv"),
    output:
        influence="results/{name}/{family}/influence.h5ad",
        influence_by_cell_type="results/{name}/{family}/influence_by_cell_type.tsv",
        influence_by_cell_type_z="results/{name}/{family}/influence_by_cell_type_z.tsv",
        effect_by_cell_type="results/{name}/{family}/effect_by_cell_type.tsv",
        effect_by_cell_type_z="results/{name}/{family}/effect_by_cell_type_z.tsv",
    log:
        "logs/gather_influence/{name}.{family}.log",
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=scaled(2000, dataset=15, influence=10),
        runtime=scaled(10, dataset=0.1),
    params:
        code=code("gather_influence"),
    message:
        "Gathering the influence of motifs of {wildcards.family} in {wildcards.name}"
    script:
        "../scripts/gather_influence.py"
