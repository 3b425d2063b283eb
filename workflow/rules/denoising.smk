"""Accessibility of peaks and genes as a model expects it. It is the first fold's that is asked."""

READ_OFF = "09. Accessibility, TFs and bases by the model"
EXPRESSED_GENES = bool(MULTIOME and ANNOTATION)  # whose promoters and expression are known


rule find_promoter_peaks:
    input:
        accessibility=dataset_of,
        annotation=ANNOTATION,
        expression=CELLS_EXPRESSION,
        aliases=ALIASES,
    output:
        table=f"{MODEL}/promoter_peaks.tsv",
    log:
        "logs/find_promoter_peaks/{name}.{model}.log",
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
        settings=how_to_read("denoising", "promoter_reach"),
        code=code("find_promoter_peaks"),
    message:
        "Finding the peaks at the promoters of genes in {wildcards.name}"
    script:
        "../scripts/find_promoter_peaks.py"


rule denoise_accessibility:
    input:
        accessibility=dataset_of,
        model=FIRST_MODEL,
        promoters=f"{MODEL}/promoter_peaks.tsv",
        expression=CELLS_EXPRESSION,
    output:
        peaks=f"{MODEL}/denoised_peaks.h5ad",
        genes=f"{MODEL}/gene_scores.h5ad",
        by_cell_type=f"{MODEL}/gene_scores_by_cell_type.tsv",
        per_cell=f"{MODEL}/agreement_per_cell.tsv",
        per_gene=f"{MODEL}/agreement_per_gene.tsv",
        notes=model_table("notes.tsv", "denoising_notes", READ_OFF, "What was left out"),
    log:
        "logs/denoise_accessibility/{name}.{model}.log",
    benchmark:
        "benchmarks/results/{name}/denoise_accessibility.{model}.tsv"
    wildcard_constraints:
        model=with_ability("embeds_cells"),
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=scaled(4000, accessibility=40, expression=40),
        runtime=scaled(60, accessibility=1),
    params:
        settings=how_to_read("denoising", without=["promoter_reach"]),
        annotated=bool(ANNOTATION),
        training=DEVICE,
        code=model_code("denoise_accessibility"),
    message:
        "Denoising the accessibility of peaks and genes in {wildcards.name}"
    script:
        "../scripts/denoise_accessibility.py"


rule plot_denoising:
    input:
        denoised=f"{MODEL}/denoised_peaks.h5ad",
        accessibility=dataset_of,
        per_cell=f"{MODEL}/agreement_per_cell.tsv",
        per_gene=f"{MODEL}/agreement_per_gene.tsv",
        cell_types=CELL_TYPES,
    output:
        **model_figures(
            heatmap=("denoised_accessibility", "Before and after denoising"),
            **(
                {"agreement": ("accessibility_against_expression", "Accessibility and expression")}
                if EXPRESSED_GENES
                else {}
            ),
            category=READ_OFF,
        ),
    log:
        "logs/plot_denoising/{name}.{model}.log",
    wildcard_constraints:
        model=with_ability("embeds_cells"),
    conda:
        "../../envs/plots.yaml"
    resources:
        mem_mb=scaled(2000, accessibility=20, denoised=10),
        runtime=scaled(30),
    params:
        n_cells=300,
        seed=config["seed"],
        code=code("plot_denoising"),
    message:
        "Drawing denoised accessibility of {wildcards.name}"
    script:
        "../scripts/plot_denoising.py"


OUTPUTS["embeds_cells"] += ["gene_scores.h5ad", "figures/denoised_accessibility.svg"]
