"""Motifs, and the MEME files that hold them."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import xlogy

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.files import whole_file
from cisgrammar.common.inputs import open_text
from cisgrammar.genome.sequence import BASES

UNIFORM = (0.25, 0.25, 0.25, 0.25)
ROW_SUM_TOLERANCE = 0.02  # rounding to two decimals moves a row's sum by up to this much
DEFAULT_SITES = 20  # what MEME assumes where a file is silent
PSEUDOCOUNT = 0.1  # sites that MEME adds to a motif that it compares

_IUPAC = {
    frozenset(bases): letter
    for letter, bases in {
        **{base: base for base in BASES},
        **{"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"},
        **{"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"},
    }.items()
}
_EDITED = "The file seems cut short or edited; get it anew."
logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Motif:
    """A position probability matrix with a name.

    Parameters
    ----------
    name
        Unique within a file; no white space.
    matrix
        Probabilities, rows A, C, G, T, columns summing to 1: float64 ``(4, width)``.
    n_sites
        How many sequences it was made from.
    alt
        A second name, as a rule the transcription factor.
    """

    name: str
    matrix: np.ndarray
    n_sites: float = DEFAULT_SITES
    alt: str = ""

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        check_ppm(matrix)
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)
        if not self.name or re.search(r"\s", self.name):
            raise ValueError(f"a motif's name is one word, not {self.name!r}")

    @property
    def width(self) -> int:
        """Number of positions."""
        return self.matrix.shape[1]


def check_ppm(ppm: np.ndarray) -> None:
    """Check that an array holds probabilities ``(4, width)``.

    Raises
    ------
    ValueError
        If the shape is another, a number is negative, or a column does not sum to 1.
    """
    if ppm.ndim != 2 or ppm.shape[0] != 4 or ppm.shape[1] == 0:
        raise ValueError(f"a motif is (4, width), not {ppm.shape}")
    if not (ppm >= 0).all():
        raise ValueError("a motif holds probabilities; some are negative or not numbers")
    sums = ppm.sum(axis=0)
    if not np.allclose(sums, 1, atol=1e-6):
        worst = np.abs(sums - 1).argmax()
        raise ValueError(f"column {worst + 1} of the motif sums to {sums[worst]:.6g}, not 1")


def information_content(ppm: np.ndarray) -> np.ndarray:
    """Information at each motif position: the stack heights of its logo.

    Parameters
    ----------
    ppm
        Probabilities, rows A, C, G, T: ``(4, width)``. Columns sum to 1.

    Returns
    -------
    Bits, ``(width,)``: 0 is no preference, 2 is a single base.

    Raises
    ------
    ValueError
        If a column does not sum to 1.

    Notes
    -----
    Schneider & Stephens (1990), without their small-sample correction.
    """
    check_ppm(ppm)
    return 2 + xlogy(ppm, ppm).sum(axis=0) / np.log(2)


def reverse_complement(ppm: np.ndarray) -> np.ndarray:
    """Turn a motif ``(4, width)`` to the other strand."""
    return ppm[::-1, ::-1]


def with_pseudocounts(motif: Motif) -> np.ndarray:
    """Add a tenth of a site of a uniform background to every position.

    Returns
    -------
    Probabilities ``(4, width)``, none of them 0.

    Notes
    -----
    What the MEME Suite's programs do to every motif they read. Its sites are a
    whole number, and :data:`DEFAULT_SITES` where there is none.
    """
    n_sites = int(motif.n_sites) if motif.n_sites >= 1 else DEFAULT_SITES
    return (motif.matrix * n_sites + PSEUDOCOUNT / len(BASES)) / (n_sites + PSEUDOCOUNT)


def most_probable(ppm: np.ndarray) -> str:
    """Spell the most probable base of each position: MEME's consensus in Tomtom's table.

    Parameters
    ----------
    ppm
        Probabilities, rows A, C, G, T: ``(4, width)``.

    Examples
    --------
    >>> most_probable(np.array([[1, 0.4, 0.25], [0, 0.2, 0.25], [0, 0.4, 0.25], [0, 0, 0.25]]))
    'AAA'
    """
    check_ppm(ppm)
    return "".join(BASES[i] for i in ppm.argmax(axis=0))


def consensus(ppm: np.ndarray) -> str:
    """Spell a motif in IUPAC letters.

    Parameters
    ----------
    ppm
        Probabilities, rows A, C, G, T: ``(4, width)``.

    Returns
    -------
    One letter a position.

    Notes
    -----
    The MEME Suite's 50% rule: the letter for all bases that have at least half
    the probability of the most probable.

    Examples
    --------
    >>> consensus(np.array([[1, 0.5, 0.25], [0, 0.2, 0.25], [0, 0.3, 0.25], [0, 0, 0.25]]))
    'ARN'
    """
    check_ppm(ppm)
    kept = ppm >= ppm.max(axis=0) / 2
    return "".join(
        _IUPAC[frozenset(base for base, k in zip(BASES, column, strict=True) if k)]
        for column in kept.T
    )


def read_meme(path: str | Path) -> list[Motif]:
    """Read the DNA motifs of a MEME file.

    Rows are scaled to sum to exactly 1, which repairs rounding.

    Parameters
    ----------
    path
        Text in MEME's minimal motif format (version 4 and later), plain or gzip.

    Returns
    -------
    Motifs in the order of the file.

    Raises
    ------
    InputError
        If the file is missing or no MEME file, has no motif or the same name
        twice, or a matrix is cut short, is not numbers, has rows of other than
        four, has negative numbers or rows that do not sum to 1. All problems are reported together.
    """
    path = Path(path)
    lines = _read_lines(path)
    problems = Problems()
    motifs: dict[str, Motif] = {}
    for name, alt, number, header, rows in _matrices(path, lines, problems):
        where = f"{path}, line {number}, motif {name}"
        if name in motifs:
            problems.add(f"{where}: the name occurs twice. Give each motif its own name.")
        elif (matrix := _matrix(where, number, header, rows, problems)) is not None:
            motifs[name] = Motif(name, matrix, _sites(header), alt)
    problems.raise_if_any()
    if not motifs:
        raise InputError(
            f"{path}: there is no motif in it: no `MOTIF name` line followed by "
            "`letter-probability matrix:`. The file may be cut short, or be in another format "
            "(TRANSFAC, HOMER, JASPAR): convert it with the MEME Suite's *2meme scripts."
        )
    logger.info("%s: %d motifs", path, len(motifs))
    return list(motifs.values())


def _read_lines(path: Path) -> list[str]:
    if not path.is_file():
        raise InputError(f"{path}: no such file. It should be a motif file in MEME format.")
    with open_text(path, "database.source") as stream:
        lines = stream.read().split("\n")
    if not any(line.startswith("MEME version") for line in lines[:50]):
        raise InputError(
            f"{path}: there is no `MEME version` line, so it is not a MEME motif file. "
            "Convert other formats with the MEME Suite's *2meme scripts."
        )
    alphabet = next((line for line in lines if line.startswith("ALPHABET")), "ALPHABET= ACGT")
    if BASES not in alphabet and "DNA" not in alphabet:
        raise InputError(f"{path}: its line `{alphabet}` is not DNA. Give a file of DNA motifs.")
    return lines


def _matrices(
    path: Path, lines: Sequence[str], problems: Problems
) -> Iterator[tuple[str, str, int, dict[str, str], list[str]]]:
    """Yield name, alt, line number of the matrix, its header, and the lines of its rows.

    What belongs to no motif is noted: it would be lost without a word.
    """
    name, alt, waiting = "", "", 0  # the line of a motif whose matrix has not come
    log_odds = False
    end = 0  # of the last matrix
    for i, line in enumerate(lines):
        words = line.split()
        where = f"{path}, line {i + 1}"
        if i < end:
            continue
        if words[:1] == ["MOTIF"] and len(words) > 1:
            _note_bare(path, name, waiting, problems)
            name, alt, waiting = words[1], " ".join(words[2:]), i + 1
        elif line.lstrip().startswith("letter-probability matrix"):
            header = dict(re.findall(r"(\w+)\s*=\s*(\S+)", line))
            rows = list(itertools.takewhile(re.compile(r"\s*[-+]?[\d.]").match, lines[i + 1 :]))
            end, log_odds = i + 1 + len(rows), False
            if not name:
                problems.add(f"{where}: this matrix has no `MOTIF name` line. {_EDITED}")
            else:
                waiting = 0
                yield name, alt, i + 1, header, rows
        elif line.lstrip().startswith("log-odds matrix"):
            log_odds = True
        elif not log_odds and _looks_like_row(words):
            problems.add(
                f"{where}: {line.strip()!r} looks like a position of a motif, but is not below a "
                f"`letter-probability matrix:` line. {_EDITED}"
            )
    _note_bare(path, name, waiting, problems)


def _note_bare(path: Path, name: str, line: int, problems: Problems) -> None:
    if line:
        problems.add(
            f"{path}, line {line}, motif {name}: no `letter-probability matrix:` follows. {_EDITED}"
        )


def _looks_like_row(words: list[str]) -> bool:
    """Tell whether a line has four words, three of them probabilities."""
    numbers = [word for word in words if re.fullmatch(r"[01]?\.\d+|[01]", word)]
    return len(words) == 4 and len(numbers) >= 3


def _sites(header: dict[str, str]) -> float:
    try:
        return float(header["nsites"])
    except (KeyError, ValueError):
        return DEFAULT_SITES


def _matrix(
    where: str, number: int, header: dict[str, str], rows: list[str], problems: Problems
) -> np.ndarray | None:
    """Turn text into probabilities ``(4, width)``, or note why that cannot be."""
    width = header.get("w")
    if not rows or (width is not None and width != str(len(rows))):
        problems.add(
            f"{where}: its header promises w= {width or '1 or more'} rows, {len(rows)} follow. "
            f"{_EDITED}"
        )
        return None
    matrix = np.empty((4, len(rows)))
    for i, row in enumerate(rows):
        try:
            matrix[:, i] = [float(word) for word in row.split()]
        except ValueError:
            problems.add(f"{where}: line {number + 1 + i} is not four numbers: {row.strip()!r}.")
            return None
        total = matrix[:, i].sum()
        if not (matrix[:, i] >= 0).all() or not abs(total - 1) <= ROW_SUM_TOLERANCE:
            problems.add(
                f"{where}: line {number + 1 + i} sums to {total:.6g} ({row.strip()}); the four "
                "probabilities of a position sum to 1 and none is negative. Counts or "
                "log-odds are not MEME probabilities: divide each row of counts by its sum."
            )
            return None
    return matrix / matrix.sum(axis=0)


def write_meme(
    motifs: Iterable[Motif], path: str | Path, background: Sequence[float] = UNIFORM
) -> None:
    """Write motifs to a file that the MEME Suite and others read.

    Parameters
    ----------
    motifs
        In the order wanted; an empty list gives a file of headers only.
    path
        Where to; MEME's minimal format, version 4, written whole or not at all.
    background
        Frequencies of A, C, G, T to state in the header.

    Raises
    ------
    ValueError
        If two motifs have the same name.
    """
    motifs = list(motifs)
    names = [motif.name for motif in motifs]
    if len(set(names)) < len(names):
        raise ValueError("two motifs have the same name")
    letters = " ".join(f"{base} {p:.5f}" for base, p in zip(BASES, background, strict=True))
    blocks = [
        f"MEME version 4\n\nALPHABET= {BASES}\n\nstrands: + -\n\n"
        f"Background letter frequencies\n{letters}\n"
    ]
    for motif in motifs:
        title = f"MOTIF {motif.name} {'_'.join(motif.alt.split())}".rstrip()
        rows = "\n".join(" ".join(f"{p:.6f}" for p in column) for column in motif.matrix.T)
        blocks.append(
            f"{title}\nletter-probability matrix: alength= 4 w= {motif.width} "
            f"nsites= {motif.n_sites:g} E= 0\n{rows}\n"
        )
    with whole_file(path) as temporary:
        temporary.write_text("\n".join(blocks), encoding="utf-8")
