"""The catalogue of bad input: what is wrong, and how to make it.

`PYTHONPATH=src python tests/unit/made_errors.py` writes docs/errors.md anew.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
import yaml
import yte
import zarr
from Bio.bgzf import BgzfWriter
from made_counts import (
    DENSE,
    annotated,
    write_10x_h5,
    write_10x_mtx,
    write_h5ad,
    write_h5mu,
    write_zarr,
)
from made_inputs import (
    check_inputs,
    gtf_row,
    populations,
    with_transcripts,
    write,
    write_inputs,
)
from made_links import made_gene_peaks
from made_models import small_inputs
from made_networks import detector, on_top
from made_populations import SMALL, build, made_populations
from made_server import serve
from made_trained import CODES as CODES_OF_TRAINED
from made_trained import made_results

from cisgrammar.cells.embedding import filter_cells
from cisgrammar.cells.pool_members import read_members
from cisgrammar.cells.pooling import nearest_cells
from cisgrammar.cells.populations import log_targets
from cisgrammar.checks.attributions import check_attributions
from cisgrammar.checks.config import complete_config
from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.common.config import raise_all, read_schema
from cisgrammar.common.errors import InputError
from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.inputs import require_file
from cisgrammar.common.yaml_text import problems_of_yaml
from cisgrammar.counts import read_counts
from cisgrammar.data.accessibility import build_accessibility, prepare_counts
from cisgrammar.data.cells_by_peaks import batch_numbers, check_batch
from cisgrammar.data.fold_splits import split_folds
from cisgrammar.data.folds import read_folds
from cisgrammar.data.gene_peaks import learn_expression
from cisgrammar.data.given import read_given, read_scover_table
from cisgrammar.downloads.fetching import fetch, unpack
from cisgrammar.downloads.sources import COLUMNS, Source, find_source, read_sources
from cisgrammar.evaluate.link_truth import label_tested_pairs, read_pairs, read_places
from cisgrammar.genome.candidates import Candidates, find_candidates
from cisgrammar.genome.fasta import chrom_sizes, read_aliases
from cisgrammar.genome.haplotypes import read_haplotypes
from cisgrammar.genome.peaks import peaks_from_names
from cisgrammar.genome.regions import read_bed
from cisgrammar.genome.tss import read_tss
from cisgrammar.genome.variants import read_variants
from cisgrammar.interpret.attributions import gradients
from cisgrammar.interpret.gene_mutagenesis import check_pairs, mutate_genes, named_genes
from cisgrammar.interpret.gene_sets import match_sets, read_gmt
from cisgrammar.interpret.neurons.files import sample_layers
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.sampling import SamplingSettings, sample_sequences
from cisgrammar.interpret.patterns import find_patterns
from cisgrammar.interpret.region_choice import asked_regions, mutated_windows
from cisgrammar.models.conv_layers import ConvLayer, chosen_layers
from cisgrammar.models.cre_attention import load_attention
from cisgrammar.models.hybrid import Hybrid
from cisgrammar.models.network_files import read_network
from cisgrammar.motifs.databases import choose_motifs, load_database
from cisgrammar.motifs.meme import Motif, read_meme, write_meme
from cisgrammar.simulate.links import simulate_links
from cisgrammar.simulate.settings import LinkSettings
from cisgrammar.training.link_data import gather_gene_peaks
from cisgrammar.training.link_model import train_attention
from cisgrammar.training.tuning import read_best
from cisgrammar.use.attributions import attribute
from cisgrammar.use.trained import load
from cisgrammar.use.variant_effects import variant_effects

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/errors.md"
SCHEMA = read_schema(ROOT / "workflow/schemas/config.schema.yaml")
SUM = "0" * 64
MUTATED = pd.DataFrame({"chrom": "chr1", "start": [100], "end": [300]}, index=["chr1:100-300"])

START = """# Errors, and what they mean

Every error message says where the problem is, what was found, the likely cause, and what to do. There are three stages: the config is
read; then the workflow checks that all files exist; then, before anything else runs, it reads the files and checks that they fit
each other. Each stage reports all its problems together. `snakemake check` does nothing but these checks:

```sh
snakemake check --cores all --configfile config/mine.yaml
```

This page lists the common kinds of bad input, each with its message. Paths, names and numbers are examples. Two or more
problems are numbered, after a line such as `3 problems:`. This page is written by `tests/unit/made_errors.py`, which makes
each of these inputs, and a test compares.
"""  # noqa: E501

END = """## Every reader

What each file is checked for when it is read, and what it may be at most. All of them are read without running anything that
is in them. `make fuzz` damages a sound file of each kind at random: a reader refuses in words, or reads it.

| file | forms | what is checked | limits |
| --- | --- | --- | --- |
| config | YAML | every key, kind and limit (schema); keys twice, tags, aliases; labels that YAML takes for numbers, dates or truth values | 10 MB, 100,000 values, 18 digits |
| counts | h5ad, h5mu, 10x h5, loom | sound HDF5; matrix, names and columns there and of one size; raw counts; no links to other files | names, labels and first values within 300 s |
| counts | zarr folder (2 and 3) of AnnData or MuData | as h5ad; no way of packing that runs code; no links out of the folder; no chunk of names or sparse counts is missing | 1,000,000 files |
| counts | 10x mtx folder, plain or gzip | sizes against features, barcodes and bytes before the matrix is read; header lines; transposed | 18 digits a size |
| counts | TSV or CSV of genes x cells, plain or gzip | as many numbers in each line as cells; every value a number | memory: a block of 1,024 genes is dense |
| table of cells | TSV or CSV, UTF-8 or Latin-1 | a name for each column, once; lines of one length; each cell once; half of the cells there | regular expressions 60 s |
| genome | FASTA (plain, gzip, bgzip), 2bit | lines of one length, names once, plain letters, the last line | none |
| annotation | GTF, GFF3, plain or gzip | nine columns, coordinates, names of genes, one gene a row, quotes that close | 12 digits a coordinate |
| aliases of chromosomes | TSV | two names or more a line | none |
| windows, peaks, blacklist, regions to mutate | BED, table of genomic ranges | three columns, coordinates, names once where they must be | none |
| truth about links | TSV of tested pairs, BED, BEDPE | columns, coordinates, true or false; that they touch the peaks | none |
| known motifs | MEME, `jaspar:` | four rows that add up to 1, names once, transcription factors | none |
| names of transcription factors, clusters | TSV, CSV | columns, motifs of the database | none |
| gene sets | GMT | three columns, names of the data's genes | none |
| sequences, targets, places, labels (`given`) | FASTA, TSV, BED, scover's table | one length, the same names in each, each once, numbers | none |
| sources of downloads | TSV | columns, checksums, sizes, URLs | none |
| downloads, archives | any; zip, tar | checksum and size where the table has them | the table's size; else 1 GB and 100 times the archive |
| tables of an earlier job | TSV | its last line ends; the names of what it belongs to, no fewer and no others; folds, pools, motifs, windows | none |
| h5ad, HDF5 and JSON of an earlier job | | whole, of the kind that was written | h5ad and HDF5: names and small arrays within 300 s |
| variants | VCF, plain, gzip or bgzip; TSV, CSV | header, columns, positions, letters; the file ends whole; reference alleles against the genome | 12 digits a position |
| models | `model.pt` | weights alone (no code), of a known model | none |
| networks of your own | HDF5 of Keras, state dict of PyTorch, YAML | weights alone (no code); names, shapes and channels of all layers together | HDF5: names and small arrays within 300 s |
"""  # noqa: E501


def config_text(text):
    """Judge the text of a config, before it is read."""

    def make(folder):
        path = write(folder / "config/mine.yaml", text)
        raise_all("config/mine.yaml", problems_of_yaml(path))

    return make


def variants_at(starts, ref, alt, chrom="1"):
    columns = {"variant": "rs1", "chrom": chrom, "start": starts, "ref": ref, "alt": alt}
    return pd.DataFrame(columns)


def effects_of(starts, ref, alt, chrom="1"):
    """Ask a tiny model about variants that are not of its genome."""
    return lambda d: variant_effects(load(made_results(d)), variants_at(starts, ref, alt, chrom))


def without_places(folder):
    trained = load(made_results(folder))
    trained.dataset.var["chrom"] = "unknown"
    variant_effects(trained, variants_at([5], "A", "G"))


def explained(bed=None, **asked):
    """Check what contributions of bases are asked for."""

    def make(folder):
        found = Findings(
            sizes={"chr1": 100},
            targets=pd.Index(["GATA1", "SPI1"]),
            labelled=pd.DataFrame({"cell_type": ["B cell", "T cell"]}),
        )
        given = {"models": ["scover"], "by": None, "labels": None, "differences": [], "names": None}
        section = given | {"bed": bed and str(write(folder / "regions.bed", bed))} | asked
        check_attributions(InputFiles("c", "genome.fa", "w"), Settings(attributions=section), found)
        found.problems.raise_if_any()

    return make


STARTS_OF_G = [int(i) for i in np.flatnonzero(CODES_OF_TRAINED[100:140] == 2) + 100]


def cut_bgzip(folder):
    """Read a VCF of which the last block was not copied."""
    path = folder / "variants.vcf.gz"
    with BgzfWriter(str(path)) as out:
        out.write("#CHROM\tPOS\tID\tREF\tALT\nchr1\t5\t.\tA\tC\n")
    path.write_bytes(path.read_bytes()[:-28])
    read_variants(path)


def called(folder, *words):
    """Call Snakemake with configs that it cannot read: the profile looks at them first."""
    before, sys.argv = sys.argv, ["snakemake", *map(str, words)]
    try:
        with (ROOT / "profiles/default/config.yaml").open() as profile:
            yte.process_yaml(profile, require_use_yte=True)
    except SystemExit as error:
        raise InputError(str(error)) from None
    finally:
        sys.argv = before


def config(text):
    """Complete a config, written as YAML."""
    return lambda d: complete_config(yaml.safe_load(text), SCHEMA, "config/mine.yaml")


def source(url="https://example.org/genome.fa.gz", sha256="", member=""):
    return Source("mouse", "genome.fa.gz", "1", url, sha256, None, "", "", "")


def own_network(layers, pickled=False):
    """Read a user's network whose description or weights do not fit."""

    def make(folder):
        description = write(folder / "layers.yaml", f"layers: [{layers}]\n")
        state = {
            "conv1.weight": torch.ones(6, 4, 5),
            "conv3.weight": torch.ones(2, 8, 3),
            "flat.weight": torch.ones(6, 4, 5, 5),
        }
        torch.save(torch.nn.Conv1d(4, 6, 5) if pickled else state, folder / "own.pt")
        read_network(folder / "own.pt", description)

    return make


def silent_network(folder):
    """Sample a layer whose biases silence it."""
    layer = detector("GATTACA", "CCGTGAC")
    dead = ConvLayer(layer.weight, np.full(2, -100, np.float32))
    sample_layers(Network([dead]), [1], SamplingSettings(), folder / "sampling")


def fetched(folder, content=b"ACGT", status=None, kind="application/gzip", **known):
    """Fetch from a server that behaves badly."""
    with serve(content) as served:
        served.faults, served.kind = [status] if status else [], kind
        fetch(source(served.url, **known), folder / "downloads/mouse/genome.fa.gz", 1)


def without_network(folder):
    with serve(b"") as served:
        url = served.url
    try:
        fetch(source(url), folder / "downloads/mouse/genome.fa.gz", tries=5, wait=0.001)
    except InputError as error:  # how the refusal is worded differs between systems
        raise InputError(re.sub(r"\(HTTP.*?\)\.", "(Connection refused).", str(error))) from None


def unpacked(folder):
    with zipfile.ZipFile(folder / "FACS.zip", "w") as archive:
        archive.writestr("FACS/Heart-counts.csv", "")
    row = source("download:mouse/FACS.zip#FACS/Hart-counts.csv")
    unpack(row, folder / "FACS.zip", folder / "genome.fa.gz")


def sources(row):
    cells = dict.fromkeys(COLUMNS, "") | row
    text = "\t".join(COLUMNS) + "\n" + "\t".join(cells.values()) + "\n"
    return lambda d: read_sources(write(d / "sources.tsv", text))


def counts(make, **arguments):
    return lambda d: read_counts(make(d), **arguments)


def values(change):
    return lambda d: write_h5ad(d / "cells.h5ad", annotated(DENSE + np.float32(change)))


def other_hdf5(folder):
    with h5py.File(folder / "weights.h5", "w") as file:
        file["weights"] = [1]
    return folder / "weights.h5"


def cut(folder):
    path = write_h5ad(folder / "cells.h5ad", annotated())
    path.write_bytes(path.read_bytes()[:4000])
    try:
        read_counts(path)
    except InputError as error:  # its size depends on the versions of packages
        raise InputError(re.sub(r"eof = \d+.*?\)", "eof = 4000, ...)", str(error))) from None


def lacking(folder, name):
    run = write_10x_mtx(folder / "run")
    (run / name).unlink()
    return run


def mixed_runs(folder):
    run = write_10x_mtx(folder / "run")
    write(run / "barcodes.tsv", "c0\n")
    return run


def headed(folder):
    run = write_10x_mtx(folder / "run")
    return write(run / "features.tsv", f"id\tname\n{(run / 'features.tsv').read_text()}").parent


def boasting(folder):
    run = write_10x_mtx(folder / "run")
    text = "%%MatrixMarket matrix coordinate integer general\n3 4 99999999999\n1 1 1\n"
    return write(run / "matrix.mtx", text).parent


def linked(folder):
    path = write_h5ad(folder / "cells.h5ad", annotated())
    with h5py.File(path, "a") as file:
        file["obs/other"] = h5py.ExternalLink("/home/other/cells.h5ad", "/obs")
    return path


def zarr_folder(spoil):
    def make(folder):
        path = write_zarr(folder / "cells.zarr", annotated(sp.csr_matrix(DENSE)))
        spoil(path)
        read_counts(path)

    return make


def pickled(path):
    described = json.loads((path / "X/data/zarr.json").read_text())
    described["codecs"].append({"name": "numcodecs.pickle"})
    write(path / "X/data/zarr.json", json.dumps(described))


def spatial(path):
    shutil.rmtree(path)
    zarr.open_group(path, mode="w").create_group("tables")


def transposed(arguments):
    adata = ad.read_h5ad(arguments["counts"])
    adata.obs = adata.obs[[]]
    adata.T.write_h5ad(arguments["counts"])


def rare_batch(arguments):
    adata = ad.read_h5ad(arguments["counts"])
    adata.obs["run"] = ["rare", *["common"] * (adata.n_obs - 1)]
    adata.write_h5ad(arguments["counts"])


def cell_table(text, ignore=None):
    def make(folder):
        path = write_h5ad(folder / "cells.h5ad", annotated())
        table = write(folder / "labels.tsv", text)
        read_counts(path, cell_table=table, ignore_in_barcodes=ignore)

    return make


def genome(text):
    return lambda d: chrom_sizes(write(d / "genome.fa", text), d / "work")


def genes(text, **arguments):
    return lambda d: read_tss(write(d / "genes.gtf", text), **arguments)


def bed(text):
    return lambda d: read_bed(write(d / "peaks.bed", text), "peaks.bed")


def fitting(spoil=None, **changes):
    """Check files that fit each other, but for what is done to them."""

    def make(folder):
        arguments = write_inputs(folder, **changes)
        if spoil:
            spoil(arguments)
        check_inputs(**arguments)

    return make


def rename(key, old, new):
    def spoil(arguments):
        write(arguments[key], arguments[key].read_text().replace(old, new))

    return spoil


def rename_genes(change):
    def spoil(arguments):
        adata = ad.read_h5ad(arguments["counts"])
        adata.var_names = [change(name) for name in adata.var_names]
        adata.write_h5ad(arguments["counts"])

    return spoil


def reannotated(attributes):
    def spoil(arguments):
        old = arguments["annotation"].read_text()
        new = re.sub(r'gene_id "G(\d+)"', lambda found: attributes(int(found[1])), old)
        write(arguments["annotation"], new)

    return spoil


def numbered(arguments):
    """Give worm genes of one clone to the counts, and others of it to the annotation."""
    rename_genes(lambda name: f"Y74C9A.{name[1:]}")(arguments)
    reannotated(lambda n: f'gene_id "Y74C9A.{n + 50}"')(arguments)


def masked(arguments):
    name, letters = arguments["fasta"].read_text().split()
    write(arguments["fasta"], f"{name}\n{'N' * len(letters)}\n")


def ambiguous(arguments):
    name, letters = arguments["fasta"].read_text().split()
    write(arguments["fasta"], f"{name}\n{letters[:105]}R{letters[106:]}\n")


HEAD = "MEME version 4\n\nALPHABET= ACGT\n\n"
MATRIX = "letter-probability matrix: alength= 4 w= 2 nsites= 7 E= 0\n"


def meme(text):
    return lambda d: read_meme(write(d / "motifs.meme", text))


def database(names=None, alt=""):
    def make(folder):
        write_meme([Motif("a", np.full((4, 5), 0.25), alt=alt)], folder / "motifs.meme")
        table = None if names is None else write(folder / "names.tsv", names)
        load_database(f"{folder}/motifs.meme", table)

    return make


FASTA = ">s1\nACGT\n>s2\nACGG\n>s3\nTTTT\n"
TABLE = "id\tliver\tbrain\ns1\t5\t6\ns2\t1\t2\ns3\t3\t4.5\n"


def given(fasta=FASTA, table=TABLE, regions=None, labels=None):
    def make(folder):
        regions_bed = regions and write(folder / "regions.bed", regions)
        label_table = labels and write(folder / "labels.tsv", labels)
        paths = write(folder / "sequences.fa", fasta), write(folder / "targets.tsv", table)
        read_given(*paths, regions_bed, label_table)

    return make


def folds(**changes):
    sequences = pd.DataFrame({"chrom": ["chr1"] * 4 + ["chr2"] * 4}, index=list("abcdefgh"))
    settings = {"n_folds": 10, "validation": 0.2, "by": "random", "seed": 1} | changes
    return lambda d: split_folds(sequences, **settings)


def half_of_folds(folder):
    write_table(
        pd.DataFrame({"sequence": ["a", "b"], "chrom": "1", "fold0": "train"}), folder / "folds.tsv"
    )
    read_folds(folder / "folds.tsv", list("abcd"))


def half_of_pools(folder):
    members = pd.DataFrame({"pool": ["pool0", "pool1", "pool1"], "cell": ["c1", "c2", "c3"]})
    write_table(members, folder / "cells_in_pools.tsv")
    pools = pd.DataFrame({"n_cells": 2}, index=["pool0", "pool1"])
    read_members(folder / "cells_in_pools.tsv", pools)


def checked_folds(**changes):
    settings = {"n_folds": 10, "validation": 0.2, "by": "random"} | changes
    return lambda d: check_inputs(**write_inputs(d), folds=settings)


GTF = gtf_row("gene", 11, 20, gene_id="G1", gene_biotype="protein_coding")


def accessibility(chrom, start):
    def make(folder):
        fasta = write(folder / "genome.fa", f">chr1\n{'ACGT' * 20}\n>chr2\nACGT\n")
        places = pd.DataFrame({"chrom": [chrom], "start": [start], "end": [start + 4]}, ["peak"])
        cells = ad.AnnData(sp.csr_matrix(np.ones((2, 1), np.float32)), var=places)
        build_accessibility(cells, fasta, folder, length=8, min_share=0)

    return make


def populated(gtf=with_transcripts, **changes):
    """Check populations of cells; `gtf` changes the annotation, a pair is a file to write."""

    def written(folder, value):
        if isinstance(value, dict):
            return {key: written(folder, each) for key, each in value.items()}
        return write(folder / value[0], value[1]) if isinstance(value, tuple) else value

    def make(folder):
        arguments = write_inputs(folder, n_pools=None)
        annotation = arguments["annotation"]
        write(annotation, gtf(annotation.read_text()))
        check_inputs(**arguments, populations=populations(**written(folder, changes)))

    return make


def scxpresso(length=300, features="features"):
    """Make the network for some data."""

    def make(folder):
        dataset, _ = made_populations(10, length)
        if features is None:
            del dataset.varm["features"]
        build(dataset)

    return make


def mutated(genes):
    """Mutate genes, of which the last is in no test part."""

    def make(folder):
        dataset, folds = made_populations()
        folds.loc[79, "fold0"] = "train"
        models = [(0, build(dataset, **SMALL))]
        mutate_genes(models, dataset, folds, genes, upstream=70)

    return make


BULK = "gene\tlung1\tlung2\n"

PAIRS = "chrom\tchromStart\tchromEnd\tmeasuredGeneSymbol\tRegulated\n"


def near_a_gene(chrom="chr1", start=900):
    """Look for candidates of a gene on chr1, position 1,000."""
    genes = pd.DataFrame(
        [("G1", "one", "chr1", 1000, "+")],
        columns=["gene_id", "gene_name", "chrom", "tss", "strand"],
    )
    peaks = pd.DataFrame({"chrom": chrom, "start": [start, 3000], "end": [start + 200, 3200]})
    return lambda _: find_candidates(peaks, genes, reach=300_000, promoter_reach=500)


def sparse_ones(n_cells, n_genes):
    return sp.csr_matrix(np.random.default_rng(1).poisson(2, (n_cells, n_genes)))


def without_expression():
    data, _, _ = made_gene_peaks()
    names = [f"c{i}" for i in range(90)]
    genes = data.candidates.genes["gene"]
    cells = ad.AnnData(sp.csr_matrix((90, 2)), obs=pd.DataFrame(index=names))
    counts = ad.AnnData(
        sp.csr_matrix((60, 30)), obs=pd.DataFrame(index=names[:60]),
        var=pd.DataFrame(index=genes.to_numpy()),
    )  # fmt: skip
    gather_gene_peaks(None, cells, counts, data.candidates, {}, seed=1)


def another_assembly(folder):
    truth = read_pairs(write(folder / "pairs.tsv", PAIRS + "chr1\t5\t9\tGATA1\tTRUE\n"))
    peaks = pd.DataFrame({"chrom": "chr1", "start": [90], "end": [99]}, index=["chr1:90-99"])
    links = pd.DataFrame({"gene": ["G"], "gene_name": ["GATA1"], "peak": peaks.index, "score": 1.0})
    label_tested_pairs("pairs.tsv", truth, peaks, links, ["score"])


ENTRIES = {
    "The config": {
        "An unknown key": config("{name: x, pools: {n_pool: 5}}"),
        "A required key is missing": config("{seed: 1}"),
        "A value of another kind": config("{name: x, seed: one}"),
        "A value beyond its limits": config("{name: x, folds: {n_folds: 0}}"),
        "A value that is none of the choices": config("{name: x, genome: {tss_rule: first}}"),
        "A name with a slash": config("{name: my/data}"),
        "A number that YAML takes for text": config(
            "{name: x, scover: {search: {learning_rate: [5e-4, 0.05]}}}"
        ),
        "A number in quotes": config("{name: x, folds: {n_folds: '3'}}"),
        "A label that YAML takes for a number": config(
            "{name: x, cells: {drop: {cell_type: [1.10]}}}"
        ),
        "A batch called NO": config("{name: x, counts: {path: {NO: a.h5ad, SE: b.h5ad}}}"),
        "A number that YAML reads in another way": config_text("name: x\nseed: 010\n"),
        "A section that comes twice": config_text("pools: {n_pools: 9}\nname: x\npools: {}\n"),
        "A tag": config_text("name: !!python/name:os.system x\n"),
        "A number without end": config(f"{{name: x, seed: {10**400}}}"),
        "A section without keys": config("{name: x, pools: }"),
        "A range in the wrong order": config(
            "{name: x, scover: {search: {learning_rate: [0.05, 0.001]}}}"
        ),
        "One fold, and no chromosomes to test": config("{name: x, folds: {n_folds: 1}}"),
        "Filters wider than windows": config(
            "{name: x, scover: {network: {width: 40}}, regions: {upstream: 20, downstream: 10}}"
        ),
        "More bins than places": config(
            "{name: x, scover: {network: {bins: 20}}, regions: {upstream: 20, downstream: 10}}"
        ),
        "Data from two places": config("{name: x, simulation: {}, given: {targets: a.tsv}}"),
        "A target after the config": lambda d: called(
            d, "--cores", "2", "--configfile", write(d / "config/mine.yaml", "name: x"), "check"
        ),
        "A config that is not in UTF-8": lambda d: called(
            d, "--configfile", write(d / "config/mine.yaml", "name: Müller".encode("latin-1"))
        ),
        "A config with code in it": lambda d: called(
            d, "--configfile", write(d / "config/mine.yaml", "__use_yte__: true\nname: x\n")
        ),
        "Several problems": config("{name: x, sede: 1, tuning: {trials: 0}}"),
    },
    "Downloads": {
        "A download that is not known": lambda d: find_source(
            "mouse/genome.fa", {"mouse/genome.fa.gz": source()}
        ),
        "The file was moved": lambda d: fetched(d, status=404),
        "The file is not open to all": lambda d: fetched(d, status=403),
        "A page to log in, in place of the file": lambda d: fetched(d, kind="text/html"),
        "A wrong checksum": lambda d: fetched(d, sha256=SUM),
        "No network": without_network,
        "A file that its archive has not": unpacked,
        "A bad row in the table of sources": sources(
            {"dataset": "mouse", "file": "genome.fa.gz", "url": "ftp://example.org/genome.fa.gz"}
        ),
    },
    "Any file": {
        "A file that is not there": lambda d: require_file(
            write(d / "genes.gtf.gz", "x").with_name("gene.gtf.gz"), "genome.gtf"
        ),
        "Nor its folder": lambda d: require_file(d / "data/genes.gtf", "genome.gtf"),
        "A folder in place of a file": lambda d: require_file(d, "genome.gtf"),
        "An empty file": lambda d: require_file(write(d / "genes.gtf", ""), "genome.gtf"),
        "A compressed file that was cut short": lambda d: read_tss(
            write(d / "a.gtf.gz", GTF * 9).rename(d / "genes.gtf.gz") and _cut(d / "genes.gtf.gz")
        ),
        "Another compression": lambda d: read_tss(write(d / "genes.gtf.bz2", b"BZh91AY")),
        "Text in UTF-16": lambda d: read_bed(
            write(d / "peaks.bed", b"\xff\xfe" + "chr1\t5\t9\n".encode("utf-16-le")), "peaks.bed"
        ),
    },
    "Counts": {
        "A file of R": counts(lambda d: write(d / "cells.rds", "x")),
        "A page in place of an h5ad": counts(
            lambda d: write(d / "cells.h5ad", "<html>404 Not Found</html>")
        ),
        "HDF5, but no counts": counts(other_hdf5),
        "An h5ad that was cut short": cut,
        "Centred and scaled values": counts(values(-1)),
        "Logarithms": counts(values(0.5)),
        "Values that are not counts": counts(values(100.5)),
        "Missing values": counts(values(np.nan)),
        "No value but 0": counts(lambda d: write_h5ad(d / "cells.h5ad", annotated(DENSE * 0))),
        "A matrix that is not there": counts(
            lambda d: write_10x_h5(d / "cells.h5"), matrix="raw"
        ),
        "A modality that is not there": counts(
            lambda d: write_h5mu(d / "cells.h5mu", rna=annotated()), modality="atac"
        ),
        "Text in a table of counts": counts(
            lambda d: write(d / "counts.tsv", "gene\tc0\tc1\nA\t1\t2\nB\tmany\t2\n")
        ),
        "Rows of different length": counts(
            lambda d: write(d / "counts.csv", "gene,c0,c1\nA,1,2\nB,1\n")
        ),
        "A 10x folder that is not complete": counts(lambda d: lacking(d, "barcodes.tsv")),
        "A 10x folder of two runs": counts(mixed_runs),
        "A header line in a 10x folder": counts(headed),
        "A matrix that claims more than it holds": counts(boasting),
        "An h5ad that leads to another file": counts(linked),
        "A zarr folder that was copied in part": zarr_folder(
            lambda path: shutil.rmtree(path / "X" / "indices" / "c")
        ),
        "A zarr folder that holds no AnnData": zarr_folder(spatial),
        "A zarr folder that could run code": zarr_folder(pickled),
        "A regular expression that is none": cell_table("cell\tx\nc0\ta\n", ignore="("),
        "A column that is not there": counts(
            lambda d: write_h5ad(d / "cells.h5ad", annotated(celltype=list("abab"))),
            cell_type="cell_type",
        ),
        "A table of other cells": cell_table("barcode\tlabel\nz\tx\n"),
        "Barcodes with another suffix": cell_table("barcode\tlabel\nc0-1\tx\nc1-1\tx\nc2-2\tx\n"),
        "A barcode twice": cell_table("barcode\tlabel\nc0\tx\nc0\ty\n"),
        "No regular expression": cell_table("barcode\tlabel\nc0\tx\n", ignore="("),
    },
    "The genome": {
        "No FASTA": genome("chr1\tx\tgene\t1\t2\n"),
        "Names without sequence": genome(">chr1\n>chr2\n"),
        "Lines of different length": genome(">chr1\nACGT\nAC\nACGT\n"),
        "A table of aliases with one column": lambda d: read_aliases(
            write(d / "aliases.tsv", "chr1\n")
        ),
        "Letters other than A, C, G, T, N": fitting(ambiguous),
        "A genome that is masked with N": fitting(masked),
    },
    "The annotation": {
        "A quote that is never closed": genes(gtf_row("gene", 1, 9, gene_id="G1").rstrip('";\n')),
        "Two genes in one row": genes(
            gtf_row("gene", 1, 9, gene_id="G1").rstrip() + ' gene_id "G2";\n'
        ),
        "No GTF": genes(">chr1\nACGT\n"),
        "Blanks in place of tabs": genes(GTF.replace("\t", " ")),
        "Coordinates that are not numbers": genes(gtf_row("gene", "one", 5, gene_id="G1")),
        "Only comments": genes("#!genome-build GRCh38\n"),
        "No gene rows": genes(gtf_row("exon", 1, 5, gene_id="G1")),
        "Genes named by another attribute": genes(gtf_row("gene", 1, 5, geneid="G1")),
        "A biotype that no gene has": genes(GTF, biotypes=["protein-coding"]),
    },
    "Files that do not fit each other": {
        "Genes of a mix of species": fitting(rename_genes(lambda name: f"GRCh38_{name}")),
        "A transposed matrix": fitting(transposed, cell_type=None),
        "A batch of a few cells": fitting(rare_batch, batch="run"),
        "No common chromosome": fitting(rename("annotation", "chr1", "scaffold_7")),
        "Chromosomes named differently, and not to be matched": fitting(
            rename("annotation", "chr1", "1"), chromosomes="as_is"
        ),
        "Genes of another kind": fitting(rename_genes(lambda name: f"ENSMUSG{name[1:]}")),
        "Numbers after a dot that are no versions": fitting(numbered),
        "Names that several genes have": fitting(
            reannotated(lambda n: f'gene_id "ENSG{n}"; gene_name "G{n % 6}"')
        ),
        "Genes of another species": fitting(rename_genes(str.lower)),
        "Windows longer than chromosomes": fitting(upstream=5000),
        "More pools than cells": fitting(n_pools=1000),
        "Pools larger than the data": fitting(cells_per_pool=100),
        "An order of cell types that names another": fitting(cell_type_order=["b", "B cell"]),
        "Filters that leave no cell": lambda d: filter_cells(
            annotated(sp.csr_matrix(DENSE)), min_genes=500, min_cells=1
        ),
        "Pools larger than what the filters left": lambda d: nearest_cells(
            np.zeros((20, 2)), np.arange(5), 30
        ),
    },
    "Regions and peaks": {
        "No BED": bed("chr1 5 9\n"),
        "An end before its start": bed("chr1\t9\t5\n"),
        "A BED without regions": bed("track name=x\n"),
        "Names that are not peaks": lambda d: peaks_from_names(["GATA1", "SPI1"], d / "cells.h5ad"),
    },
    "scBasset": {
        "No peaks": config("name: x\nmodels: [scbasset]\n"),
        "One batch, and batches to correct for": lambda d: batch_numbers(pd.Series(["p1"] * 3)),
        "Fewer peaks than a batch": lambda d: check_batch(90, 128),
        "Peaks that few cells have": lambda d: prepare_counts(
            ad.AnnData(sp.eye(20, format="csr")), 0.1
        ),
        "Peaks beyond the end of their chromosome": accessibility("chr1", 90),
        "Peaks on chromosomes that the FASTA has not": accessibility("NC_000001.11", 5),
        "Regions to mutate that are nowhere": lambda d: asked_regions(
            ["chr1:100-299", "chr1:200-100", "the enhancer"], MUTATED
        ),
        "A region to mutate twice": lambda d: mutated_windows(
            asked_regions(["chr1:5-9", "chr1:5-9"], MUTATED), {"chr1": 500}, 100
        ),
        "A region on a chromosome that the FASTA has not": lambda d: mutated_windows(
            asked_regions(["chrom1:5-9"], MUTATED), {"chr1": 500}, 100
        ),
        "A region beyond the end of its chromosome": lambda d: mutated_windows(
            asked_regions(["chr1:480-530", "chr1:5-9"], MUTATED), {"chr1": 500}, 100
        ),
        "Motifs that the database has not": lambda d: choose_motifs(
            load_database("jaspar:CORE:vertebrates:2024"), ["GATA1", "GATA11"]
        ),
    },
    "Populations of cells": {
        "Populations of peaks without RNA": config(
            "{name: x, counts: {cell_type: a, modality: atac}, populations: {}, peaks: {}}"
        ),
        "Cell types that are not named": config("{name: x, populations: {}}"),
        "A level that is no column": populated(levels=["clas"]),
        "Populations with too few cells": populated(min_cells=1000),
        "A population without counts": lambda d: log_targets(np.zeros((1, 9)), ["cell_type/a"]),
        "A window longer than chromosomes": populated(upstream=7000),
        "Genes without transcripts": populated(gtf=str),
        "An annotation without CDS": populated(gtf=lambda text: with_transcripts(text, cds=None)),
        "An annotation without UTRs": populated(
            gtf=lambda text: with_transcripts(text, untranslated=False)
        ),
        "CDS of other genes": populated(
            half_life={"cds_gtf": ("cds.gtf", with_transcripts(GTF.replace("G1", "YAL001C")))}
        ),
        "Bulk expression of other genes": populated(
            bulk={"path": ("bulk.tsv", BULK + "YAL001C\t5\t7\n"), "samples": None}
        ),
        "Bulk expression as logarithms": populated(
            bulk={"path": ("bulk.tsv", BULK + "G1\t5\t-1.2\n"), "samples": {"lung": ["lung2"]}}
        ),
        "A gene twice in a table": populated(
            table={
                "path": ("half_life.tsv", "gene\tminutes\nG1\t5\nG1\t8\n"),
                "columns": None,
                "log": True,
            }
        ),
        "A column that a table has not": populated(
            table={
                "path": ("half_life.tsv", "gene\tminutes\nG1\t5\n"),
                "columns": ["minute"],
                "log": True,
            }
        ),
    },
    "scXpresso": {
        "Windows shorter than its pools": config(
            "{name: x, counts: {cell_type: label}, models: [scxpresso], "
            "populations: {upstream: 100, downstream: 100}}"
        ),
        "No features of genes": config(
            "{name: x, counts: {cell_type: label}, models: [scxpresso], "
            "populations: {half_life: {features: []}}}"
        ),
        "Sequences shorter than its pools": scxpresso(length=200),
        "Data without features": scxpresso(features=None),
        "A gene to mutate that is not learned": lambda _: named_genes(
            ["gene3", "GATA1"], made_populations()[0].var, "scxpresso.mutagenesis.genes"
        ),
        "Genes to mutate that every model has seen": mutated(["gene79"]),
        "Populations to compare that are not there": lambda _: check_pairs(
            [("cell_type/B", "cell_type/T")],
            pd.Index(["all_cells/all", "cell_type/B cell", "cell_type/T cell"]),
            "scxpresso.mutagenesis.compare",
        ),
    },
    "Neurons": {
        "A model without convolutions": config("{name: x, models: [hybrid], neurons: {}}"),
        "Half of a network": config("{name: x, neurons: {weights: own.h5}}"),
        "More facets than sequences": config("{name: x, neurons: {sequences: 500}}"),
        "A name that the weights have not": own_network("{convolution: conv7}"),
        "What is not a plain convolution": own_network("{convolution: flat}"),
        "A layer that is missing": own_network("{convolution: conv1}, {convolution: conv3}"),
        "Keys of layers that are not known": own_network(
            "{convolution: conv1, kernel: 5, activation: swish}"
        ),
        "A pickled network": own_network("{convolution: conv1}", pickled=True),
        "A layer that the network has not": lambda _: chosen_layers(
            on_top(detector("GATTACA"), {(0, 0): 1.0}, 1, -1.0), [3], 112
        ),
        "Neurons that nothing excites": silent_network,
        "Sequences shorter than a field": lambda _: sample_sequences(
            Network([detector("GATTACA")]), 1, np.zeros((3, 5), np.uint8), SamplingSettings()
        ),
    },
    "Trained models and variants": {
        "A folder without a trained model": lambda d: load(d / "results/demo/scover"),
        "Sequences of another length": lambda d: load(made_results(d)).predict({"s1": "ACGT"}),
        "Variants without a header": lambda d: read_variants(
            write(d / "variants.vcf", "chr1\t5\t.\tA\tC\n")
        ),
        "Variants that are no DNA": lambda d: read_variants(
            write(d / "variants.vcf", "#CHROM\tPOS\tID\tREF\tALT\nchr1\t5\t.\tR\tC\n")
        ),
        "Variants of which the end is missing": cut_bgzip,
        "Haplotypes of a VCF that is not phased": lambda d: read_haplotypes(
            write(
                d / "variants.vcf",
                "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\n"
                "chr1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\n",
            )
        ),
        "Haplotypes of a table without them": lambda d: read_haplotypes(
            write(d / "variants.tsv", "chrom\tposition\tref\talt\nchr1\t5\tA\tC\n")
        ),
        "Variants of another assembly": effects_of(range(100, 120), "A", "G"),
        "Variants on the other strand": effects_of(STARTS_OF_G, "C", "T"),
        "Variants with swapped alleles": effects_of(STARTS_OF_G, "A", "G"),
        "Variants on chromosomes of other names": effects_of([5], "A", "G", chrom="IX"),
        "Moved windows without a genome": lambda d: variant_effects(
            load(made_results(d)), variants_at([5], "A", "G"), shifts=[1]
        ),
        "Variants for sequences without places": without_places,
        "Variants for a model that reads none": config(
            "{name: x, models: [scxpresso], populations: {table: {path: t.tsv}}, "
            "counts: {cell_type: kind}, scxpresso: {network: {inputs: features}}, "
            "variants: {vcf: mine.vcf}}"
        ),
        "Variants averaged by a column that populations lack": config(
            "{name: x, models: [scxpresso], populations: {}, counts: {cell_type: kind}, "
            "variants: {vcf: mine.vcf, by: donor}}"
        ),
        "Moved windows of sequences without a genome": config(
            "{name: x, given: {fasta: s.fa, targets: t.tsv}, "
            "variants: {vcf: mine.vcf, shifts: [-1, 1]}}"
        ),
        "Variants without a file": config("{name: x, counts: {}, variants: {}}"),
        "Sequences too short for patterns": lambda _: find_patterns(
            np.zeros((5, 40), np.uint8), np.ones((5, 4, 40))
        ),
        "Bases of a model that cannot be asked so": config(
            "{name: x, counts: {}, models: [hybrid], attributions: {models: [hybrid]}}"
        ),
        "Bases of regions and of names": config(
            "{name: x, counts: {}, attributions: {bed: r.bed, names: [GATA1]}}"
        ),
        "Bases of no label": config("{name: x, counts: {}, attributions: {labels: []}}"),
        "Bases averaged by a column that populations lack": config(
            "{name: x, models: [scxpresso], populations: {}, counts: {cell_type: kind}, "
            "attributions: {by: donor}}"
        ),
        "Bases of labels and names that are not in the data": explained(
            labels=["NK"], names=["GATA2"]
        ),
        "Bases of regions on chromosomes of other names": explained(bed="II\t5\t9\n"),
        "Bases of a label that there is not": lambda d: attribute(
            load(made_results(d)), by="cell_type", label="NK"
        ),
        "Bases of regions in no window": lambda d: attribute(
            load(made_results(d)),
            regions=pd.DataFrame({"name": ["r1"], "chrom": "chr1", "start": 90, "end": 95}),
        ),
        "Bases of a model that cannot be followed back": lambda _: gradients(
            Hybrid(2, 3, 4, 1, False, 2, 0.0), small_inputs(), np.ones(2)
        ),
    },
    "Links of peaks and genes": {
        "Links without peaks": config("{name: x, counts: {}, links: {}}"),
        "Windows of distance in disorder": config(
            "{name: x, peaks: {}, models: [scbasset], links: {evaluation: {edges: [10, 5]}}}"
        ),
        "Peaks and genes on chromosomes of other names": near_a_gene(chrom="1"),
        "No peak at a promoter": near_a_gene(start=90_000),
        "Fewer cells than components": lambda _: learn_expression(
            sparse_ones(30, 60), np.arange(24), 50, seed=1
        ),
        "Cells with peaks that have no RNA": lambda _: without_expression(),
        "A part without genes": lambda _: train_attention(
            made_gene_peaks()[0], np.full(30, "train"), np.full(90, "train"), {}, seed=1
        ),
        "Pairs without the columns": lambda d: read_pairs(
            write(d / "pairs.tsv", "chrom\tstart\tend\tTargetGene\nchr1\t1\t2\tGATA1\n")
        ),
        "Pairs that were not tested": lambda d: read_pairs(
            write(d / "pairs.tsv", PAIRS + "chr1\t5\t9\tGATA1\tNA\n")
        ),
        "Pairs of another assembly": another_assembly,
        "Interactions that are no BEDPE": lambda d: read_places(
            write(d / "loops.bedpe", "chr1\t5\t9\tGATA1\n"), 6
        ),
        "Candidates of other data": lambda _: Candidates.of_tables(
            pd.DataFrame({"gene": ["G1"], "promoter_peak": ["chr1:1-9"]}),
            pd.DataFrame({"gene": ["G1"], "peak": ["chr1:5-9"], "distance": [4]}),
            pd.Index(["chr2:1-9"]),
            "results/x/scbasset/links/pairs.tsv",
        ),
        "No checkpoint of the model": lambda d: load_attention(
            write(d / "links/model/fold0/model.pt", "")
        ),
        "A simulation whose motifs do not fit": lambda d: simulate_links(
            d, LinkSettings(min_spacing=100), seed=1
        ),
    },
    "Known motifs and gene sets": {
        "No MEME file": meme(">GATA1\nA [1 2]\n"),
        "Motifs of proteins": meme(HEAD.replace("ACGT", "ACDEFGHIKLMNPQRSTVWY")),
        "A motif that was cut short": meme(HEAD + "MOTIF a\n" + MATRIX + " 1 0 0 0\n"),
        "Counts in place of probabilities": meme(
            HEAD + "MOTIF a\n" + MATRIX + " 1 0 0 0\n 3 4 0 0\n"
        ),
        "A motif twice": meme(
            HEAD + ("MOTIF a\n" + MATRIX + " 1 0 0 0\n 1 0 0 0\n") * 2
        ),
        "Motifs without names of TFs": database(),
        "TF names of another database": database(names="x\tMSN2\n"),
        "A group that JASPAR has not": lambda d: load_database("jaspar:CORE:vertbrates:2024"),
        "No gene sets": lambda d: read_gmt(write(d / "sets.gmt", "A,x,g1\n")),
        "Gene sets with other names": lambda d: match_sets(
            {"x": ["ENSG1", "ENSG2"]}, pd.DataFrame({"gene_name": ["GATA1"]}, index=["GATA1"])
        ),
    },
    "Sequences and targets": {
        "Files that name different sequences": given(table="id\tliver\nq1\t1\nq2\t2\n"),
        "A sequence without targets": given(fasta=FASTA + ">s4\nACGT\n"),
        "Sequences of several lengths": given(fasta=FASTA + ">s4\nACGTA\n"),
        "RNA": given(fasta=FASTA.replace("TTTT", "UUUU")),
        "A sequence twice": given(table=TABLE + "s3\t1\t2\n"),
        "A target twice": given(table="id\tbrain\tliver\tbrain\ns1\t1\t2\t3\n"),
        "A target that is not a number": given(table=TABLE.replace("4.5", "high")),
        "Commas in place of tabs": given(table=TABLE.replace("\t", ",")),
        "Regions that lack sequences": given(regions="chr1\t1\t5\ts3\n"),
        "No such column of cell types": given(
            labels="target\tcelltype\nliver\thepatocyte\nbrain\tneuron\n"
        ),
        "A target that has two labels": given(
            labels="target\tcell_type\nliver\thepatocyte\nliver\tneuron\nbrain\tneuron\n"
        ),
        "A table of scover without values": lambda d: read_scover_table(
            write(d / "targets.tsv", "gene\tsequence\nx\tACGT\n")
        ),
    },
    "Folds": {
        "Too few sequences": folds(),
        "Too few chromosomes": folds(n_folds=2, by="chromosome"),
        "A chromosome that no sequence is on": folds(n_folds=1, test_chromosomes=["2"]),
        "More folds than windows, told before anything runs": checked_folds(n_folds=20),
        "Windows on too few chromosomes, told before anything runs": checked_folds(
            n_folds=2, by="chromosome"
        ),
    },
    "Files that an earlier job made": {
        "Folds that lack sequences": half_of_folds,
        "Pools that lack cells": half_of_pools,
        "Hyperparameters that are cut short": lambda d: read_best(
            write(d / "hyperparameters.json", '{"learning_rate": 0.0')
        ),
        "A table that is cut short": lambda d: read_table(
            write(d / "evaluation.tsv", "fold\tr2\n0\t0.1")
        ),
    },
}  # fmt: skip


def _cut(path):
    path.write_bytes(path.read_bytes()[:60])
    return path


def message(make, folder):
    """Make bad input and give its message, without what differs between runs."""
    try:
        make(folder)
    except InputError as error:
        text = str(error).replace(f"{folder}/", "").replace(str(folder), "data")
        return re.sub(r"http://127\.0\.0\.1:\d+/", "https://example.org/", text)
    raise AssertionError("this input was taken")


def rendered(title, text):
    """Write an entry of the document."""
    return f"### {title}\n\n```text\n{text}\n```\n"


def document():
    parts = [START]
    for section, entries in ENTRIES.items():
        parts.append(f"## {section}\n")
        for title, make in entries.items():
            with tempfile.TemporaryDirectory() as folder:
                parts.append(rendered(title, message(make, Path(folder))))
    return "\n".join([*parts, END])


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}\n")
