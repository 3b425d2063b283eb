"""Windows around transcription start sites, and their sequence."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pybedtools

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import damaged, read_table, whole_file
from cisgrammar.common.inputs import examples, is_bed_header, open_text
from cisgrammar.common.progress import progress
from cisgrammar.genome.fasta import match_chromosomes, open_fasta
from cisgrammar.genome.sequence import N, encode, reverse_complement

logger = logging.getLogger(__name__)

REGION_COLUMNS = ["chrom", "start", "end", "name", "strand"]
_STRANGE = re.compile(r"[^ACGTNacgtn]")


def promoters(
    tss: pd.DataFrame,
    chrom_sizes: Mapping[str, int],
    upstream: int,
    downstream: int,
    chromosomes: str = "auto",
    section: str = "regions",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put a window around each transcription start site.

    Parameters
    ----------
    tss
        gene_id, chrom, tss (0-based), strand, and gene_name if there is one.
    chrom_sizes
        Length of each chromosome of the FASTA.
    upstream
        Bases before the TSS.
    downstream
        Bases from the TSS on, the TSS among them; at least 1.
    chromosomes
        ``auto``, ``as_is`` or a file of aliases: see
        :func:`cisgrammar.genome.fasta.match_chromosomes`.
    section
        That of the config with ``upstream`` and ``downstream``, for messages.

    Returns
    -------
    windows
        chrom (as in the FASTA), start (0-based), end, name (gene_id), strand and
        gene_name, each ``upstream + downstream`` long, in the order of ``tss``.
    counts
        step, genes: what came in, was dropped and remains.

    Raises
    ------
    InputError
        If bedtools is not installed, or no window remains.

    Notes
    -----
    Hepkema et al. (2023), Methods: 500 bases on either side of the TSS.
    """
    mapping = match_chromosomes(tss["chrom"], chrom_sizes, chromosomes)
    on_genome = tss["chrom"].isin(mapping)
    sites = tss[on_genome].reset_index(drop=True)
    sites["chrom"] = sites["chrom"].map(mapping)
    inside = sites["tss"] < sites["chrom"].map(chrom_sizes)
    steps = [
        ("genes with a TSS", len(tss)),
        ("dropped: chromosome not in the FASTA", int((~on_genome).sum())),
    ]
    windows = slop(sites[inside], chrom_sizes, upstream, downstream)
    columns = [*REGION_COLUMNS, *(["gene_name"] if "gene_name" in windows else [])]
    windows = windows.rename(columns={"gene_id": "name"})[columns]
    window = upstream + downstream
    whole = (windows["end"] - windows["start"]) == window
    n_off = int((~inside).sum() + (~whole).sum())
    steps += [
        ("dropped: window off the end of the chromosome", n_off),
        ("windows", int(whole.sum())),
    ]
    if not whole.any():
        raise InputError(_no_window_message(tss, on_genome, n_off, chrom_sizes, window, section))
    return windows[whole].reset_index(drop=True), pd.DataFrame(steps, columns=["step", "genes"])


def _no_window_message(
    tss: pd.DataFrame,
    on_genome: pd.Series,
    n_off: int,
    chrom_sizes: Mapping[str, int],
    window: int,
    section: str,
) -> str:
    reasons = []
    if not on_genome.all():
        reasons.append(
            f"{(~on_genome).sum():,} are on chromosomes that are not in the FASTA "
            f"({examples(tss['chrom'][~on_genome].unique())} against {examples(chrom_sizes)})"
        )
    if n_off:
        reasons.append(
            f"the windows of {n_off:,}, {window:,} bases long, go off the chromosome's end"
        )
    return (
        f"{section}: of {len(tss):,} genes none has a promoter window: {', and '.join(reasons)}. "
        "Use a FASTA and a GTF of the same assembly, or a smaller "
        f"`{section}.upstream` and `{section}.downstream`."
    )


def slop(
    sites: pd.DataFrame, chrom_sizes: Mapping[str, int], upstream: int, downstream: int
) -> pd.DataFrame:
    """Widen sites along their strand; bedtools cuts at the ends of chromosomes.

    Parameters
    ----------
    sites
        chrom, tss (0-based), strand and any other columns.
    chrom_sizes
        Length of each chromosome.
    upstream, downstream
        Bases before the site, and from it on.

    Returns
    -------
    The sites in their order, with start and end.
    """
    require_bedtools()
    if sites.empty:
        return sites.assign(start=[], end=[])
    bed = sites.assign(start=sites["tss"], end=sites["tss"] + 1, row=range(len(sites)), score=0)
    points = pybedtools.BedTool.from_dataframe(
        bed[["chrom", "start", "end", "row", "score", "strand"]]
    )
    sizes = {chrom: (0, size) for chrom, size in chrom_sizes.items()}
    wide = points.slop(g=sizes, l=upstream, r=downstream - 1, s=True)
    ends = wide.to_dataframe().sort_values("name")
    for tool in (points, wide):
        Path(tool.fn).unlink(missing_ok=True)
    return sites.assign(start=ends["start"].to_numpy(), end=ends["end"].to_numpy())


def require_bedtools() -> None:
    """Check that the program ``bedtools`` is installed.

    Raises
    ------
    InputError
        If it is not on the PATH.
    """
    if shutil.which("bedtools") is None:
        raise InputError(
            "bedtools: the program is not on the PATH. Install it: `apt-get install bedtools`, or "
            "`conda install -c bioconda bedtools`."
        )


def write_bed(regions: pd.DataFrame, path: str | Path) -> None:
    """Write regions as BED: chrom, start, end, name, 0, strand and, if known, gene name."""
    columns = ["chrom", "start", "end", "name", "score", "strand"]
    columns += ["gene_name"] * ("gene_name" in regions)
    table = regions.assign(score=0)[columns]
    with whole_file(path) as temporary:
        table.to_csv(temporary, sep="\t", header=False, index=False, lineterminator="\n")


def read_bed(path: str | Path, key: str = "regions") -> pd.DataFrame:
    """Read regions from BED with three or more columns, plain or gzip.

    A table of R's genomic ranges will do too: it starts with ``seqnames``, counts from 1, and may
    have a column ``name``.

    Parameters
    ----------
    path
        The file. A missing name becomes ``chrom:start-end``, a missing strand ``+``.
    key
        The config's key, for messages.

    Returns
    -------
    chrom, start (0-based), end, name, strand and, with a seventh column, gene_name.

    Raises
    ------
    InputError
        If the file is missing or damaged, or a line is not BED; it is named.
    """
    rows = []
    ranges: list[str] = []
    with open_text(path, key) as stream:
        for number, line in enumerate(stream, start=1):
            columns = line.rstrip("\r\n").split("\t")
            if columns[:3] == ["seqnames", "start", "end"] and number == 1:
                ranges = columns
                continue
            if is_bed_header(line):
                continue
            if ranges and len(columns) == len(ranges) and columns[1].isdecimal():
                start = str(int(columns[1]) - 1)
                name = columns[ranges.index("name")] if "name" in ranges else ""
                columns = [columns[0], start, columns[2], name]
            rows.append(_bed_row(path, number, columns))
    if not rows:
        raise InputError(f"{path}: there is not one region in this BED file. Correct `{key}`.")
    table = pd.DataFrame(rows, columns=[*REGION_COLUMNS, "gene_name"])
    return table if (table["gene_name"] != "").any() else table[REGION_COLUMNS]


def read_windows(path: str | Path, steps: str | Path, names: Iterable[str]) -> pd.DataFrame:
    """Read the windows of an earlier job.

    Parameters
    ----------
    path
        From :func:`write_bed`.
    steps
        The table of steps beside it; its last row says how many windows there are.
    names
        Of the genes or peaks that may have a window.

    Returns
    -------
    As :func:`read_bed`, with the names as index.

    Raises
    ------
    InputError
        If it is cut short or damaged, or is of other genes or peaks.
    """
    windows, n = read_bed(path).set_index("name"), read_table(steps).iloc[-1, 1]
    if len(windows) != n:
        raise damaged(path, f"it has {len(windows):,} windows; by {steps} there are {n:,}")
    if alien := set(windows.index) - set(names):
        raise damaged(
            path, f"{len(alien):,} of its names ({examples(sorted(alien))}) are not in the counts"
        )
    return windows


def _bed_row(path: str | Path, number: int, columns: list[str]) -> tuple:
    numbers = len(columns) >= 3 and all(re.fullmatch(r"[0-9]{1,12}", x) for x in columns[1:3])
    if not numbers or not int(columns[1]) < int(columns[2]) or not columns[0]:
        raise InputError(
            f"{path}: line {number} is not a BED line: {' '.join(columns)[:60]!r}. A line needs "
            "chrom, start and end between tabs, the start (from 0) before the end."
        )
    chrom, start, end = columns[0], int(columns[1]), int(columns[2])
    name = columns[3] if len(columns) > 3 and columns[3] else f"{chrom}:{start}-{end}"
    strand = columns[5] if len(columns) > 5 and columns[5] in ("+", "-") else "+"
    return chrom, start, end, name, strand, columns[6] if len(columns) > 6 else ""


def given_regions(
    bed: str | Path,
    genes: Sequence[str],
    chrom_sizes: Mapping[str, int],
    chromosomes: str = "auto",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take the genes' windows from a BED, as they are.

    Parameters
    ----------
    bed
        BED: the name is the gene's in the counts; a seventh column may hold gene names.
    genes
        Names in the counts.
    chrom_sizes, chromosomes
        As in :func:`promoters`.

    Returns
    -------
    windows, counts
        As from :func:`promoters`, in the order of ``genes``.

    Raises
    ------
    InputError
        If windows differ in length, a gene has two, or none remains.
    """
    table = read_bed(bed, "regions.bed")
    again = table["name"][table["name"].duplicated()].unique()
    if len(again):
        raise InputError(
            f"{bed}: {len(again):,} genes have more than one region ({examples(again)}). "
            "Keep one line for each gene."
        )
    lengths = (table["end"] - table["start"]).value_counts()
    if len(lengths) > 1:
        raise InputError(
            f"{bed}: regions differ in length ({examples(lengths.index, 5)} bases). The model "
            "reads windows of one length: cut or widen them, e.g. with `bedtools slop`."
        )
    mapping = match_chromosomes(table["chrom"].drop_duplicates(), chrom_sizes, chromosomes)
    place = pd.Index(table["name"]).get_indexer(pd.Index(genes).astype(str))
    windows = table.iloc[place[place >= 0]].reset_index(drop=True)
    there = windows["chrom"].isin(mapping)
    windows["chrom"] = windows["chrom"].map(mapping)
    inside = there & (windows["end"] <= windows["chrom"].map(chrom_sizes))
    steps = [
        ("genes in the counts", len(genes)),
        ("dropped: not in the BED", int((place < 0).sum())),
        ("dropped: chromosome not in the FASTA", int((~there).sum())),
        ("dropped: window off the end of the chromosome", int((there & ~inside).sum())),
        ("windows", int(inside.sum())),
    ]
    if not inside.any():
        reasons = "; ".join(f"{step}: {n:,}" for step, n in steps[1:-1] if n)
        raise InputError(
            f"{bed}: no gene of the counts has a window: {reasons}. Its fourth column "
            f"({examples(table['name'])}) must name genes as the counts do ({examples(genes)}), "
            "and the FASTA must be of the same assembly."
        )
    return windows[inside].reset_index(drop=True), pd.DataFrame(steps, columns=["step", "genes"])


def sequence_codes(
    regions: pd.DataFrame, fasta: str | Path, work: str | Path
) -> tuple[np.ndarray, np.ndarray]:
    """Read the sequence of regions, along each one's strand.

    Parameters
    ----------
    regions
        chrom (as in the FASTA), start (0-based), end, strand; all of one length.
    fasta
        Plain, gzip or bgzip; soft-masked letters count like others.
    work
        Folder for an uncompressed copy and the index: see
        :func:`cisgrammar.genome.fasta.open_fasta`.

    Returns
    -------
    codes
        uint8 ``(n, length)``, N where the genome is unknown.
    keep
        bool ``(n,)``: the regions without N.

    Raises
    ------
    ValueError
        If the regions differ in length.
    InputError
        If a region is not in the FASTA, or holds letters other than A, C, G, T
        and N.
    """
    lengths = (regions["end"] - regions["start"]).unique()
    if len(lengths) != 1:
        raise ValueError(f"regions must have one length, not {len(lengths)}")
    codes = np.empty((len(regions), lengths[0]), dtype=np.uint8)
    with open_fasta(fasta, work) as genome:
        columns = regions[["chrom", "start", "end", "strand"]]
        places = progress(columns.itertuples(index=False), "sequences", total=len(regions))
        for i, (chrom, start, end, strand) in enumerate(places):
            if chrom not in genome or end > len(genome[chrom]):
                raise InputError(
                    f"{fasta}: the region {chrom}:{start}-{end} is not in the FASTA. The regions "
                    "are of another assembly, or name chromosomes differently "
                    f"({examples(genome.keys())} here)."
                )
            letters = genome[chrom][start:end]
            _refuse_strange_letters(fasta, chrom, start, letters)
            forward = encode(letters)
            codes[i] = reverse_complement(forward) if strand == "-" else forward
    keep = (codes != N).all(axis=1)
    logger.info("%s: %d of %d regions have no N", fasta, keep.sum(), len(keep))
    return codes, keep


def _refuse_strange_letters(fasta: str | Path, chrom: str, start: int, letters: str) -> None:
    strange = _STRANGE.search(letters)
    if strange:
        raise InputError(
            f"{fasta}: the letter {strange[0]!r} at {chrom}:{start + strange.start() + 1} "
            "(counted from 1) is none of A, C, G, T, N. It is an ambiguity code, or the file is "
            "damaged or holds proteins. To count such places as unknown, write them as N: "
            "`sed '/^>/!s/[^ACGTNacgtn]/N/g' genome.fa > clean.fa`."
        )
