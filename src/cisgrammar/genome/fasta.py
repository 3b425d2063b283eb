"""The genome's FASTA: names and lengths of chromosomes, and who calls them what."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import struct
from collections.abc import Iterable
from pathlib import Path

import pyfaidx
from Bio import SeqIO

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import whole_file
from cisgrammar.common.inputs import open_binary, open_text, require_file

logger = logging.getLogger(__name__)

STYLES = ("auto", "as_is")
KEY = "genome.fasta"

_TWOBIT = (b"\x1a\x41\x27\x43", b"\x43\x27\x41\x1a")  # either order of bytes
_PIECE = 60 * 100_000

_MITOCHONDRION = {"M", "MT", "MITO", "MTDNA", "MITOCHONDRION"}
_UCSC_SCAFFOLD = re.compile(r"(?:UN|[0-9A-Z]+)_([A-Z0-9]+)V(\d+)(?:_(?:RANDOM|ALT|FIX))?")


def plain_fasta(fasta: str | Path, work: str | Path) -> Path:
    """Find or make the plain form of a genome file.

    Parameters
    ----------
    fasta
        FASTA, plain, gzip or bgzip; or UCSC's 2bit.
    work
        Folder for the plain copy. Its name holds a digest of path, size and
        time, so that it is made once and again when the source changes.

    Returns
    -------
    ``fasta`` itself when it is plain, else the copy.

    Raises
    ------
    InputError
        If the file is missing, empty, damaged or no FASTA.
    """
    fasta = require_file(fasta, KEY)
    with fasta.open("rb") as stream:
        magic = stream.read(4)
    copy = Path(work) / f"{_digest(fasta)}.fa"
    is_plain = not (magic.startswith(b"\x1f\x8b") or magic in _TWOBIT)
    if not is_plain and copy.exists():
        return copy
    if magic in _TWOBIT:
        _unpack_2bit(fasta, copy)
        return copy
    with open_binary(fasta, KEY) as source:
        _check_start(fasta, source.read(1 << 16))
        if is_plain:
            return fasta
        source.seek(0)
        with whole_file(copy, shared=True) as temporary, temporary.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return copy


def _unpack_2bit(source: Path, copy: Path) -> None:
    """Write a 2bit file as FASTA, piece by piece."""
    try:
        with (
            source.open("rb") as stream,
            whole_file(copy, shared=True) as temporary,
            temporary.open("w") as target,
        ):
            for record in SeqIO.parse(stream, "twobit"):
                target.write(f">{record.id}\n")
                for start in range(0, len(record), _PIECE):
                    letters = str(record.seq[start : start + _PIECE])
                    lines = range(0, len(letters), 60)
                    target.writelines(f"{letters[i : i + 60]}\n" for i in lines)
            if not target.tell() or not len(record):
                raise ValueError("no sequence in it")
    except (ValueError, OSError, IndexError, RuntimeError, struct.error) as error:
        raise InputError(
            f"{source}: the 2bit file is cut short or damaged ({error}). Fetch it again."
        ) from None


def open_fasta(fasta: str | Path, work: str | Path) -> pyfaidx.Fasta:
    """Open a FASTA file for random access, indexing it once.

    Parameters
    ----------
    fasta
        FASTA, plain, gzip or bgzip; or UCSC's 2bit.
    work
        Folder for the plain copy and the index; the file's own folder
        stays as it is, it may be read-only.

    Returns
    -------
    The open file; sequences come as plain strings in their own case.

    Raises
    ------
    InputError
        If it cannot be indexed: no FASTA, no sequence, uneven lines, a name twice.
    """
    plain = plain_fasta(fasta, work)
    index = Path(work) / f"{_digest(Path(fasta))}.fai"
    try:
        if not index.exists():
            _refuse_other_bytes(fasta, plain)
            with whole_file(index, shared=True) as temporary:
                temporary.unlink()
                pyfaidx.Faidx(str(plain), indexname=str(temporary)).close()
                _check_lengths(fasta, temporary)
                _check_ends(fasta, plain, temporary)
        return pyfaidx.Fasta(str(plain), indexname=str(index), as_raw=True, rebuild=False)
    except (pyfaidx.FastaIndexingError, RuntimeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        why = str(error).partition("Please report")[0].splitlines()[0].strip().rstrip(".")
        raise InputError(
            f"{fasta}: the FASTA file cannot be indexed: {why}. "
            "Within one sequence every line but the last must be equally long, and no name may "
            f"come twice. `seqkit seq -w 60 {fasta}` rewrites the lines."
        ) from None


def _refuse_other_bytes(fasta: str | Path, plain: Path) -> None:
    """Stop at a byte that is not ASCII: the index counts letters, the file has bytes."""
    before = 0
    with plain.open("rb") as stream:
        while block := stream.read(1 << 22):
            if not block.isascii():
                place = next(i for i, byte in enumerate(block) if byte > 127)
                line = before + block.count(b"\n", 0, place) + 1
                raise InputError(
                    f"{fasta}: line {line} of the FASTA file holds the byte {block[place]:#x}, no "
                    "plain letter (ASCII), so the file cannot be indexed. It is damaged, or a name "
                    "has an accent: fetch it again, or take that letter out."
                )
            before += block.count(b"\n")


def _check_lengths(fasta: str | Path, index: Path) -> None:
    names = index.read_text().splitlines()
    if all(line.split("\t")[1] == "0" for line in names):
        raise InputError(
            f"{fasta}: the FASTA file has {len(names)} names and no sequence. "
            f"Name the genome's sequence file in `{KEY}`."
        )


def chrom_sizes(fasta: str | Path, work: str | Path) -> dict[str, int]:
    """Read names and lengths of all sequences, in the order of the file.

    Parameters and errors are those of :func:`open_fasta`.
    """
    with open_fasta(fasta, work) as opened:
        return {record.name: len(record) for record in opened}


def _check_ends(fasta: str | Path, plain: Path, index: Path) -> None:
    """Check that each sequence ends where its index says: a last line may be too long."""
    records = [line.split("\t") for line in index.read_text().splitlines()]
    places = [[int(field) for field in fields] for _, *fields in records]
    starts = [start for _, start, _, _ in places]
    with plain.open("rb") as stream:
        for (name, *_), (length, start, letters, width), following in zip(
            records, places, [*starts[1:], plain.stat().st_size], strict=True
        ):
            if not length:
                continue
            end = start + length + ((length - 1) // letters) * (width - letters)
            stream.seek(end - 1)
            after = stream.read(max(following - end + 1, 0))
            if not re.fullmatch(rb"\S\s*(>[^\n]*\n)?", after):
                raise ValueError(f"the last line of {name} is longer than the others")


def match_chromosomes(
    names: Iterable[str], genome: Iterable[str], style: str = "auto"
) -> dict[str, str]:
    """Map the chromosome names of another file to those of the FASTA.

    Parameters
    ----------
    names
        Names in the annotation, the peaks, ...
    genome
        Names in the FASTA.
    style
        ``as_is``: only equal names. ``auto``: equal names first, then by rule:
        with and without ``chr``, ``MT``, ``Mito`` and ``chrM``, and UCSC's
        ``chrUn_GL000220v1`` for ``GL000220.1``. Anything else is a file of
        aliases, which come after equal names and before the rules: see
        :func:`read_aliases`.

    Returns
    -------
    Name to name in the FASTA, for the names that have one.

    Examples
    --------
    >>> match_chromosomes(["1", "MT", "Z"], ["chr1", "chrM"])
    {'1': 'chr1', 'MT': 'chrM'}
    """
    genome = list(genome)
    names_there = set(genome)
    known = {name: name for name in genome}
    if style not in STYLES:
        for group in read_aliases(style):
            in_genome = [name for name in group if name in names_there]
            if len(in_genome) == 1:
                known.update({name: in_genome[0] for name in group if name not in known})
    by_rule: dict[str, str | None] = {}
    if style != "as_is":
        for name in genome:
            key = _canonical(name)
            by_rule[key] = None if key in by_rule else name  # two candidates: no guess
    found = {name: known.get(name, by_rule.get(_canonical(name))) for name in names}
    return {name: to for name, to in found.items() if to is not None}


def read_aliases(path: str | Path) -> list[list[str]]:
    """Read which names mean the same chromosome.

    Parameters
    ----------
    path
        Two or more columns separated by tabs, the names of one chromosome in
        each line, as in UCSC's chromAlias.txt.

    Raises
    ------
    InputError
        If the file is missing, or has a line with fewer than two names.
    """
    groups = []
    with open_text(path, "genome.chromosomes") as stream:
        for number, line in enumerate(stream, start=1):
            if line.startswith("#") or not line.strip():
                continue
            names = [name.strip() for name in line.split("\t") if name.strip()]
            if len(names) < 2:
                raise InputError(
                    f"{path}: line {number} has one name only ({line.strip()[:40]!r}). A line "
                    "holds the names of one chromosome, separated by tabs."
                )
            groups.append(names)
    return groups


def _canonical(name: str) -> str:
    bare = re.sub(r"^CHR", "", name.upper())
    if bare in _MITOCHONDRION:
        return "MT"
    scaffold = _UCSC_SCAFFOLD.fullmatch(bare)
    return f"{scaffold[1]}.{scaffold[2]}" if scaffold else bare


def _digest(path: Path) -> str:
    state = path.stat()
    text = f"{path.resolve()}\n{state.st_size}\n{state.st_mtime_ns}"
    return f"{path.name.split('.')[0]}.{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _check_start(fasta: Path, start: bytes) -> None:
    """Tell FASTA from other things by its first line that says anything."""
    first = next((line for line in start.splitlines() if line.strip()), b"")
    if not first:
        raise InputError(
            f"{fasta}: the FASTA file is empty, or has nothing but blank lines. "
            f"Name the genome's sequence file in `{KEY}`."
        )
    if not first.startswith((b">", b";")):
        shown = first[:40].decode("latin-1")
        raise InputError(
            f"{fasta}: this is not a FASTA file: it starts with {shown!r}, not with '>'. "
            f"Name the genome's sequence (.fa, .fa.gz) in `{KEY}`."
        )
