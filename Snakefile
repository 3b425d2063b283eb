from snakemake.utils import min_version

min_version("9.0")


if not workflow.configfiles:  # one config is one data set: the demo must not mix into another

    configfile: "config/config.yaml"


containerized: "cisgrammar.sif"  # made from the Dockerfile; used only with --sdm apptainer


include: "workflow/rules/common.smk"
include: "workflow/rules/user_files.smk"
include: "workflow/rules/model_settings.smk"
include: "workflow/rules/outputs.smk"
include: "workflow/rules/analysis_inputs.smk"
include: "workflow/rules/downloads.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/cells.smk"
include: "workflow/rules/dataset.smk"
include: "workflow/rules/accessibility.smk"
include: "workflow/rules/populations.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/motifs.smk"
include: "workflow/rules/influence.smk"
include: "workflow/rules/families.smk"
include: "workflow/rules/kmers.smk"
include: "workflow/rules/positions.smk"
include: "workflow/rules/comparison.smk"
include: "workflow/rules/held_out_peaks.smk"
include: "workflow/rules/population_models.smk"
include: "workflow/rules/cell_embedding.smk"
include: "workflow/rules/denoising.smk"
include: "workflow/rules/tf_activity.smk"
include: "workflow/rules/mutagenesis.smk"
include: "workflow/rules/for_scanpy.smk"
include: "workflow/rules/neurons.smk"
include: "workflow/rules/links.smk"
include: "workflow/rules/link_scores.smk"
include: "workflow/rules/link_motifs.smk"
include: "workflow/rules/variants.smk"
include: "workflow/rules/attributions.smk"
include: "workflow/rules/population_scores.smk"
include: "workflow/rules/depths.smk"
include: "workflow/rules/ablations.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/truth.smk"
include: "workflow/rules/multiome_truth.smk"
include: "workflow/rules/population_truth.smk"
include: "workflow/rules/model_comparison.smk"
include: "workflow/rules/summary.smk"
include: "workflow/rules/check.smk"


if workflow.modifier.is_main_snakefile():  # the texts tell of this config and no other workflow

    report: "workflow/report/workflow.rst"

    onsuccess:
        if was_written(FIRST_PAGE):
            print(f"First page, for a browser: {FIRST_PAGE}", flush=True)

    onerror:
        if why := why_stopped("logs", NAME, since=STARTED):
            print(why, flush=True)


rule all:
    default_target: True
    input:
        final_outputs(),
    message:
        f"All results of {NAME} are made"


rule check:
    input:
        findings=when(not ABSENT, f"results/{NAME}/check.tsv"),
    log:
        f"logs/check/{NAME}.log",
    localrule: True
    message:
        f"Telling what a run of {NAME} will do"
    run:
        if input.findings:
            tell_outlook(input.findings, log[0])
        else:
            tell_downloads(log[0])


rule fetch:
    input:
        [path for path in DOWNLOADS if not DOWNLOADS[path].is_local],
    localrule: True
    message:
        f"All downloads of {NAME} are there"
