"""The user's files, or the simulated ones, and the checks before anything else runs."""

if SIMULATED:
    OF_KIND = {"counts": "counts.h5ad", "gene_sets": "gene_sets.gmt"}
    if SIMULATED_MULTIOME:
        OF_KIND = {
            "rna": "rna.h5ad",
            "atac": "atac.h5ad",
            "accessibility": "truth/accessibility.h5ad",
        }
        if SIMULATED_LINKS:
            OF_KIND |= {"links": "truth/links.tsv", "by_type": "truth/link_activities.tsv"}
    elif SIMULATED_POPULATIONS:
        OF_KIND = {"counts": "counts.h5ad", "genes": "truth/genes.tsv"}

    rule simulate_data:
        output:
            **{key: f"results/{{name}}/simulation/{file}" for key, file in OF_KIND.items()},
            genome="results/{name}/simulation/genome.fa",
            annotation="results/{name}/simulation/annotation.gtf",
            motifs="results/{name}/simulation/truth/motifs.meme",
            sites="results/{name}/simulation/truth/sites.tsv",
            activities="results/{name}/simulation/truth/activities.tsv",
            expectation="results/{name}/simulation/truth/expectation.h5ad",
        log:
            "logs/simulate_data/{name}.log",
        benchmark:
            "benchmarks/results/{name}/simulate_data.tsv"
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(4000),
            runtime=scaled(30),
        params:
            settings=config["simulation"],
            regions=window_of_genes(),
            windows=window_of_populations(),
            seed=config["seed"],
            code=code("simulate_data"),
        message:
            "Simulating genome, annotation and counts of {wildcards.name}, with known truth"
        script:
            "../scripts/simulate_data.py"


if GIVEN is None:

    rule check_inputs:
        input:
            counts=COUNTS,
            cell_table=CELL_TABLE,
            peaks=PEAK_COUNTS,
            peak_bed=PEAK_BED,
            blacklist=BLACKLIST,
            genome=GENOME,
            annotation=ANNOTATION,
            regions=REGIONS_BED,
            aliases=ALIASES,
            population_files=list(filter(None, POPULATION_FILES.values())),
        output:
            table="results/{name}/preflight.tsv",
            work=directory("results/{name}/genome"),
        log:
            "logs/check_inputs/{name}.log",
        benchmark:
            "benchmarks/results/{name}/check_inputs.tsv"
        retries: 0  # inputs that are wrong stay wrong
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(2000, counts=20, peaks=20, annotation=10),
            runtime=scaled(30, counts=0.1),
        params:
            counts=how_to_read_counts(),
            genome=how_to_read_genes(),
            # pools and regions are read from the config: as params, another pool size would
            # repeat the check and with it all that follows, the embedding of cells first;
            # the target `check` asks check_config, which nothing follows
            code=code("check_inputs"),
        message:
            "Checking the inputs of {wildcards.name}"
        script:
            "../scripts/check_inputs.py"

    use rule check_inputs as check_config with:
        input:
            counts=COUNTS,
            cell_table=CELL_TABLE,
            peaks=PEAK_COUNTS,
            peak_bed=PEAK_BED,
            blacklist=BLACKLIST,
            genome=GENOME,
            annotation=ANNOTATION,
            regions=REGIONS_BED,
            aliases=ALIASES,
            population_files=list(filter(None, POPULATION_FILES.values())),
            database=DATABASE,
            mutated=list(MUTATED_BEDS.values()),
            variants=VARIANT_FILE,
            attributed=ATTRIBUTED_BED,
        output:
            table="results/{name}/check.tsv",
        log:
            "logs/check_config/{name}.log",
        benchmark:
            "benchmarks/results/{name}/check_config.tsv"
        params:
            counts=how_to_read_counts(),
            genome=how_to_read_genes(),
            settings=deciding_keys(),
            work="results/{name}/genome",  # not an output: check_inputs makes it its own
            code=code("check_inputs"),
        message:
            "Checking the inputs and the config of {wildcards.name}"

else:

    rule check_sequences:
        input:
            dataset="results/{name}/dataset.h5ad",
            database=DATABASE,
            variants=VARIANT_FILE,
            attributed=ATTRIBUTED_BED,
        output:
            table="results/{name}/check.tsv",
        log:
            "logs/check_sequences/{name}.log",
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(2000, dataset=10),
            runtime=scaled(10),
        params:
            settings=deciding_keys(),
            code=code("check_sequences"),
        message:
            "Checking the sequences and the config of {wildcards.name}"
        script:
            "../scripts/check_sequences.py"


rule write_provenance:
    input:
        counts=COUNTS,
        genome=GENOME,
        annotation=ANNOTATION,
        cell_table=CELL_TABLE,
        peaks=PEAK_COUNTS,
        peak_bed=PEAK_BED,
        blacklist=BLACKLIST,
        regions=REGIONS_BED,
        aliases=ALIASES,
        gene_sets=gene_sets_file(),
        database=DATABASE,
        mutated=list(MUTATED_BEDS.values()),
        given=list(GIVEN_FILES.values()),
        population_files=list(filter(None, POPULATION_FILES.values())),
        variants=VARIANT_FILE,
        attributed=ATTRIBUTED_BED,
    output:
        "results/{name}/provenance.json",
    log:
        "logs/write_provenance/{name}.log",
    conda:
        "../../envs/cells.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(10, counts=0.01, genome=0.01),
    params:
        # without the sections of other models, so that a new one changes nothing
        config={k: v for k, v in config.items() if k not in MODELS or k in CHOSEN},
        code=code("write_provenance"),
    message:
        "Writing down config, versions and checksums of {wildcards.name}"
    script:
        "../scripts/write_provenance.py"
