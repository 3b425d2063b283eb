"""Every reader and the config, on sound files that were damaged at random.

``make fuzz`` gives each of them the same share of some minutes. A reader may refuse in words
(InputError) and do nothing else; whatever else it raises, or that takes longer than it may, is
printed with the smallest input that hypothesis finds, and the call fails. Findings become tests.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests/unit"), str(ROOT / "src")]

from made_counts import (  # noqa: E402
    annotated,
    write_10x_h5,
    write_10x_mtx,
    write_h5ad,
    write_h5mu,
    write_loom,
    write_table,
    write_zarr,
)
from made_inputs import gtf_row, write  # noqa: E402

from cisgrammar.cells.pool_members import read_members  # noqa: E402
from cisgrammar.checks.config import complete_config  # noqa: E402
from cisgrammar.common import files, hdf5_safety  # noqa: E402
from cisgrammar.common.config import raise_all, read_schema  # noqa: E402
from cisgrammar.common.errors import InputError  # noqa: E402
from cisgrammar.common.inputs import time_limit  # noqa: E402
from cisgrammar.common.yaml_text import problems_of_yaml  # noqa: E402
from cisgrammar.counts import formats, read_counts  # noqa: E402
from cisgrammar.data.folds import read_folds  # noqa: E402
from cisgrammar.data.given import read_given, read_scover_table, read_sequences  # noqa: E402
from cisgrammar.downloads.fetching import unpack  # noqa: E402
from cisgrammar.downloads.sources import COLUMNS, Source, read_sources  # noqa: E402
from cisgrammar.genome.fasta import open_fasta, read_aliases  # noqa: E402
from cisgrammar.genome.regions import read_bed  # noqa: E402
from cisgrammar.genome.tss import TSS_RULES, read_tss  # noqa: E402
from cisgrammar.interpret.contributions import (  # noqa: E402
    Attributions,
    read_contributions,
    write_contributions,
)
from cisgrammar.interpret.gene_sets import read_gmt  # noqa: E402
from cisgrammar.interpret.neurons.archive import Archive  # noqa: E402
from cisgrammar.interpret.neurons.facets import Facet  # noqa: E402
from cisgrammar.interpret.neurons.files import (  # noqa: E402
    read_facets,
    read_samples,
    write_facets,
    write_samples,
)
from cisgrammar.interpret.neurons.sampling import Samples  # noqa: E402
from cisgrammar.models.checkpoints import load_model  # noqa: E402
from cisgrammar.models.network_files import read_network  # noqa: E402
from cisgrammar.motifs.clusters import read_clusters  # noqa: E402
from cisgrammar.motifs.databases import load_database  # noqa: E402
from cisgrammar.motifs.meme import Motif, read_meme, write_meme  # noqa: E402
from cisgrammar.training.tuning import read_best  # noqa: E402

SCHEMA = read_schema(ROOT / "workflow/schemas/config.schema.yaml")
LONGEST = 20.0  # seconds for one small file
BATCH = 50

PIECES = [b"", b"\t", b"\n", b"\r", b" ", b"0", b"9" * 30, b"-1", b"1e999", b"nan", b"NA", b">",
          b"#", b";", b"=", b'"', b"\\", b".", b"{", b"}", b"[", b"]", b":", b"&a", b"*a", b"!!",
          b"gene", b"chr1", b"track", b"MOTIF", b"%%", b"\0", b"\xff", b"\xe9", b"\xc3\xa9",
          b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"\x00" * 8, b"\xff" * 8]  # fmt: skip
PLACE = st.floats(0, 1)
DAMAGE = st.lists(
    st.one_of(
        st.tuples(st.just("put"), PLACE, st.integers(0, 12), st.sampled_from(PIECES)),
        st.tuples(st.just("put"), PLACE, st.integers(0, 8), st.binary(max_size=8)),
        st.tuples(st.just("cut"), PLACE, st.just(0), st.just(b"")),
        st.tuples(st.just("again"), PLACE, st.integers(1, 200), st.just(b"")),
    ),
    min_size=1,
    max_size=4,
)


def damaged(whole: bytes, damage: list[tuple[str, float, int, bytes]]) -> bytes:
    """Replace, cut off or repeat pieces of a file."""
    for kind, share, length, piece in damage:
        at = int(share * len(whole))
        if kind == "put":
            whole = whole[:at] + piece + whole[at + length :]
        elif kind == "cut":
            whole = whole[:at]
        else:
            whole = whole[: at + length] + whole[at:]
    return whole


GENES = "".join(
    gtf_row("gene", 10 * i + 1, 10 * i + 8, "+-"[i % 2], gene_id=f"G{i}", gene_name=f"N{i}")
    + gtf_row("transcript", 10 * i + 2, 10 * i + 8, gene_id=f"G{i}", transcript_id=f"T{i}")
    for i in range(4)
)
GFF3 = "##gff-version 3\n" + "".join(
    f"chr1\tx\tgene\t{10 * i + 1}\t{10 * i + 8}\t.\t+\t.\tID=gene:G{i};Name=N{i}\n"
    for i in range(4)
)
GENOME = ">chr1 first\nACGTN\nacgtn\nAC\n>chr2\nTTTTT\nTTT\n"
BED = "".join(f"chr{i}\t{i}\t{i + 9}\ts{i}\t0\t+\n" for i in range(1, 5))
SEQUENCES = "".join(f">s{i}\nACGTACGT\nNN\n" for i in range(1, 5))
TARGETS = "id\ta\tb\n" + "".join(f"s{i}\t{i}\t0.5\n" for i in range(1, 5))
SCOVER = "gene\tsequence\tind\n" + "".join(f"g{i}\tACGT\t{i},0.5\n" for i in range(4))
SETS = "".join(f"set {i}\thttp\tg{i}\tg{i + 1}\n" for i in range(4))
SOURCES = "\t".join(COLUMNS) + "\n" + "".join(
    f"a\tf{i}\t1\thttps://x/y\t{'0' * 64}\t12\tCC0\tme\tnote\n" for i in range(4)
)  # fmt: skip
CELL_TABLE = 'cell,kind\nc0,"a, b"\nc1,b\nc2,a\nc3,b\n'
CLUSTERS = "motif\tcluster\tcluster_name\ttfs\nM1\t1\tone\tA;B\nM2\t2\ttwo\tC\n"
FOLDS = "sequence\tchrom\tfold0\nG0\t1\ttrain\nG1\t1\tvalidation\nG2\t1\ttest\n"
MEMBERS = "pool\trank\tcell\npool0\t0\tc0\npool0\t1\tc1\n"


def of_text(text: str, suffix: str = "") -> Callable[[Path], Path]:
    return lambda folder: write(folder / f"sound{suffix}", text)


def meme(folder: Path) -> Path:
    write_meme([Motif("M1", np.full((4, 5), 0.25), alt="A")], folder / "sound.meme")
    return folder / "sound.meme"


def archive(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "sound.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.csv", "a,b\n" * 50)
    return folder / "sound.zip"


def own_h5ad(folder: Path) -> Path:
    files.write_h5ad(annotated(), folder / "sound.h5ad")
    return folder / "sound.h5ad"


def attributions(folder: Path) -> Path:
    windows = pd.DataFrame({"gene_name": ["a", "b"], "start": [1, 2]}, index=["s0", "s1"])
    bases, chance = np.zeros((2, 4, 6), np.float32), np.zeros((1, 6), np.float32)
    made = Attributions(windows, np.zeros((2, 6), np.uint8), bases, chance, "ism", "x", None)
    write_contributions(made, folder / "sound.h5")
    return folder / "sound.h5"


def samples(folder: Path) -> Path:
    archive = Archive(np.zeros((3, 5), np.uint8), np.ones(3, np.float32), 3)
    layers = {1: Samples(1, 5, np.ones(2, np.float32), [archive, archive], "search")}
    write_samples(layers, folder / "sound.h5")
    return folder / "sound.h5"


def facets(folder: Path) -> Path:
    facet = Facet(np.arange(3), np.full((4, 5), 0.25), 1.0, 0.5, 0.9)
    write_facets({1: {0: [facet, facet]}}, folder / "sound.h5")
    return folder / "sound.h5"


def keras(folder: Path) -> Path:
    with h5py.File(folder / "sound.h5", "w") as file:
        file["conv1/kernel"] = np.ones((3, 4, 2), np.float32)
        file["conv1/bias"] = np.ones(2, np.float32)
        file.attrs["layer_names"] = ["conv1"]
    return folder / "sound.h5"


def network(path: Path) -> object:
    layers = "layers: [{convolution: conv1, activation: relu}]"
    return read_network(path, write(path.parent / "layers.yaml", layers))


def checkpoint(folder: Path) -> Path:
    import torch

    torch.save({"model": "scover", "sizes": {"x": 1}, "state": {}}, folder / "sound.pt")
    return folder / "sound.pt"


def read_config(path: Path) -> None:
    raise_all("config", problems_of_yaml(path))
    try:
        values = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, ValueError, RecursionError):
        return  # Snakemake says that it is not YAML
    if isinstance(values, dict):
        complete_config(values, SCHEMA)


def with_mtx(name: str) -> tuple[Callable[[Path], Path], Callable[[Path], object]]:
    """Damage one file of a folder of Cell Ranger, and read the folder."""

    def make(folder: Path) -> Path:
        return write_10x_mtx(folder / "sound") / name

    def read(path: Path) -> object:
        run = write_10x_mtx(path.parent / "run")
        (run / name).write_bytes(path.read_bytes())
        return read_counts(run)

    return make, read


def with_zarr(name: str) -> tuple[Callable[[Path], Path], Callable[[Path], object]]:
    """Damage one file of a folder of zarr, and read the folder."""

    def make(folder: Path) -> Path:
        return write_zarr(folder / "sound", annotated(kind=list("abab"))) / name

    def read(path: Path) -> object:
        run = write_zarr(path.parent / "run", annotated(kind=list("abab")))
        (run / name).write_bytes(path.read_bytes())
        return of_counts(run)

    return make, read


def fasta(path: Path) -> None:
    with open_fasta(path, path.parent / "work") as opened:
        [str(record) for record in opened]


def cell_table(path: Path) -> object:
    counts = write_h5ad(path.parent / "cells.h5ad", annotated())
    return read_counts(counts, cell_table=path, cell_type="kind")


def of_counts(path: Path) -> object:
    formats.load(path, sample=True)
    return read_counts(path)


def member(path: Path) -> None:
    source = Source("a", "f", "1", "download:a/z.zip#a.csv", "", None, "", "", "")
    unpack(source, path, path.parent / "out.csv")


POOLS = pd.DataFrame({"n_cells": 2}, index=["pool0"])
CONFIGS = "\n".join(
    path.read_text() for path in sorted((ROOT / "config").glob("*.yaml"))[:1]
)  # fmt: skip

# what is read: how a sound file is made, and its reader
READERS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], object]]] = {
    "config": (of_text(CONFIGS), read_config),
    "h5ad": (lambda d: write_h5ad(d / "sound", annotated(kind=list("abab"))), of_counts),
    "h5ad, sparse": (lambda d: write_h5ad(d / "sound", annotated(kind=[1, 2, 3, 4])), of_counts),
    "h5mu": (lambda d: write_h5mu(d / "sound", rna=annotated()), of_counts),
    "10x h5": (lambda d: write_10x_h5(d / "sound"), of_counts),
    "10x h5 of Cell Ranger 2": (lambda d: write_10x_h5(d / "sound", legacy=True), of_counts),
    "loom": (lambda d: write_loom(d / "sound"), lambda p: formats.load(p, matrix="layers/counts")),
    "zarr": with_zarr("X/c/0/0"),
    "zarr, what an array is": with_zarr("X/zarr.json"),
    "zarr, what a table is": with_zarr("obs/zarr.json"),
    "10x mtx": with_mtx("matrix.mtx"),
    "features": with_mtx("features.tsv"),
    "barcodes": with_mtx("barcodes.tsv"),
    "counts as a table": (lambda d: write_table(d / "sound"), of_counts),
    "table of cells": (of_text(CELL_TABLE), cell_table),
    "FASTA": (of_text(GENOME), fasta),
    "FASTA, gzip": (of_text(GENOME, ".gz"), fasta),
    **{f"GTF, {rule}": (of_text(GENES), lambda p, r=rule: read_tss(p, tss_rule=r))
       for rule in TSS_RULES},
    "GFF3": (of_text(GFF3), read_tss),
    "aliases": (of_text("NC_1\tchr1\nNC_2\tchr2\n"), read_aliases),
    "BED": (of_text(BED), read_bed),
    "MEME": (meme, read_meme),
    "database": (meme, lambda p: load_database(str(p))),
    "names of TFs": (
        of_text("M1\tSP1\n"),
        lambda p: load_database(str(meme(p.parent)), p),
    ),
    "clusters": (of_text(CLUSTERS, ".tsv"), read_clusters),
    "gene sets": (of_text(SETS), read_gmt),
    "sequences": (of_text(SEQUENCES), read_sequences),
    "targets": (
        of_text(TARGETS),
        lambda p: read_given(write(p.parent / "s.fa", SEQUENCES), p),
    ),
    "places": (
        of_text(BED),
        lambda p: read_given(write(p.parent / "s.fa", SEQUENCES),
                             write(p.parent / "t.tsv", TARGETS), p),
    ),
    "labels": (
        of_text("target\tcell_type\na\tx\nb\ty\n"),
        lambda p: read_given(write(p.parent / "s.fa", SEQUENCES),
                             write(p.parent / "t.tsv", TARGETS), None, p),
    ),
    "scover's table": (of_text(SCOVER), read_scover_table),
    "sources": (of_text(SOURCES), read_sources),
    "archive": (archive, member),
    "own tables": (of_text("motif\tr\na\t1.5\nNA\tNA\n"), files.read_table),
    "own matrices": (of_text("motif\tr\na\t1.5\nNA\tNA\n"), files.read_matrix),
    "own h5ad": (own_h5ad, files.read_h5ad),
    "own attributions": (attributions, read_contributions),
    "own samples of neurons": (samples, read_samples),
    "own facets of neurons": (facets, read_facets),
    "network of another library": (keras, network),
    "folds": (of_text(FOLDS), lambda p: read_folds(p, ["G0", "G1", "G2"])),
    "members of pools": (of_text(MEMBERS), lambda p: read_members(p, POOLS)),
    "hyperparameters": (of_text('{"learning_rate": 0.01}'), read_best),
    "model": (checkpoint, load_model),
}  # fmt: skip


def fuzz(name: str, minutes: float, first_seed: int) -> tuple[int, list[str]]:
    """Damage one kind of file until the time is over; give the number of inputs, and findings."""
    make, reader = READERS[name]
    n_inputs, findings = 0, []
    with tempfile.TemporaryDirectory() as sound:
        path = make(Path(sound))
        whole, suffix = path.read_bytes(), path.suffix
    if suffix == ".gz":
        whole = gzip.decompress(whole)

    @settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(DAMAGE)
    def read(damage: list[tuple[str, float, int, bytes]]) -> None:
        nonlocal n_inputs
        n_inputs += 1
        content = damaged(whole, damage)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file{suffix}"
            path.write_bytes(gzip.compress(content) if suffix == ".gz" else content)
            try:
                with time_limit(LONGEST, "too slow"):
                    reader(path)
            except InputError as error:
                assert str(error) != "too slow", f"more than {LONGEST} s"

    end = time.monotonic() + 60 * minutes
    number = first_seed
    while time.monotonic() < end and not findings:
        try:
            seed(number)(read)()
        except Exception:  # whatever a reader raises is what is looked for
            findings.append(traceback.format_exc(limit=-6))
        number += 1
    return n_inputs, findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="for all readers together")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first batch")
    parser.add_argument("--only", nargs="*", choices=list(READERS), default=list(READERS))
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    formats.TIME_LIMIT = hdf5_safety.TIME_LIMIT = LONGEST / 2
    total, failed = 0, []
    for name in asked.only:
        n_inputs, findings = fuzz(name, asked.minutes / len(asked.only), asked.seed)
        total += n_inputs
        sys.stdout.write(f"{name:<28} {n_inputs:>7} inputs  {'FINDING' if findings else 'ok'}\n")
        sys.stdout.flush()
        for finding in findings:
            failed.append(name)
            sys.stdout.write(finding + "\n")
    sys.stdout.write(
        f"{total} inputs, seed {asked.seed}; findings: {', '.join(failed) or 'none'}\n"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
