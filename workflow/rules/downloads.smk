"""Files that the config refers to as download:DATASET/FILE."""

# What is there needs no rule. So nothing, neither a change of this code nor of the table of
# sources, makes Snakemake remove a file that took hours to come, or want a network.
NEEDED = {source.name: source for source in DOWNLOADS.values()}
NEEDED |= {
    source.archive: SOURCES[source.archive] for source in DOWNLOADS.values() if source.member
}
ABSENT = {
    name: source
    for name, source in NEEDED.items()
    if not (source.is_local or source.place(DOWNLOAD_FOLDER).exists())
}
TO_FETCH = [name for name, source in ABSENT.items() if not source.member]
TO_UNPACK = [name for name, source in ABSENT.items() if source.member]

if TO_FETCH:

    rule fetch_file:
        output:
            f"{DOWNLOAD_FOLDER}/{{download}}",
        log:
            "logs/fetch_file/{download}.log",
        wildcard_constraints:
            download=one_of(TO_FETCH),
        retries: 0  # it tries again by itself, and goes on where it was
        localrule: True  # nodes of a cluster may have no network
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(1000),
            runtime=scaled(600),
        params:
            source=row_of,
            code=code("fetch_file"),
        message:
            "Fetching {wildcards.download}"
        script:
            "../scripts/fetch_file.py"


if TO_UNPACK:

    rule unpack_file:
        input:
            archive=archive_of,
        output:
            f"{DOWNLOAD_FOLDER}/{{download}}",
        log:
            "logs/unpack_file/{download}.log",
        wildcard_constraints:
            download=one_of(TO_UNPACK),
        retries: 0
        conda:
            "../../envs/cells.yaml"
        resources:
            mem_mb=scaled(1000),
            runtime=scaled(60),
        params:
            source=row_of,
            code=code("unpack_file"),
        message:
            "Taking {wildcards.download} out of its archive"
        script:
            "../scripts/unpack_file.py"
