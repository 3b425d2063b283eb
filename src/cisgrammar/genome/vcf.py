"""VCF files with more in their INFO column than before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from Bio.bgzf import BgzfWriter

from cisgrammar.common.files import whole_file
from cisgrammar.common.inputs import open_text
from cisgrammar.genome.variants import is_vcf, variant_lines

Allele = tuple[str, int, str, str]  # chrom, start (0-based), ref, alt
INFO = 7  # its column
_COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
_VERSION = "##fileformat=VCFv4.3"
_RESERVED = re.compile(r"[:;=%,\s]")


@dataclass(frozen=True)
class InfoField:
    """A field of the INFO column with a value for each alternative allele."""

    name: str
    kind: str  # Float or String
    description: str

    @property
    def header(self) -> str:
        """The line that declares it."""
        about = f'Number=A,Type={self.kind},Description="{self.description}"'
        return f"##INFO=<ID={self.name},{about}>"


def annotate_vcf(
    source: str | Path,
    target: str | Path,
    fields: Sequence[InfoField],
    values: Mapping[Allele, Mapping[str, object]],
    lengths: Mapping[str, int],
) -> None:
    """Write the variants of a file with more in their INFO column.

    Parameters
    ----------
    source
        A VCF, of which all lines and columns stay as they are, or a table: see
        :func:`cisgrammar.genome.variants.read_variants`.
    target
        Compressed by bgzip if its name ends with ``.gz``. In the order of ``source``.
    fields
        What is added; fields that have these names already are replaced.
    values
        Of each allele by the field's name; what is not there is ``.``.
    lengths
        Of chromosomes, as ``source`` names them: declared where ``source`` declares none.
    """
    chroms = list(dict.fromkeys(fields_[0] for _, fields_ in variant_lines(source)))
    contigs = [
        f"##contig=<ID={chrom}" + (f",length={lengths[chrom]}>" if chrom in lengths else ">")
        for chrom in chroms
    ]
    with whole_file(target) as temporary, _writer(temporary, str(target)) as out:
        if is_vcf(source):
            _write_header(source, out, fields, contigs)
        else:
            declared = [_VERSION, *contigs, *(field.header for field in fields)]
            out.write("\n".join([*declared, _COLUMNS, ""]))
        for _, columns in variant_lines(source):
            columns = [text or "." for text in columns] + ["."] * (INFO + 1 - len(columns))
            columns[INFO] = _info(columns, fields, values)
            out.write("\t".join(columns) + "\n")


def _writer(path: Path, name: str) -> IO[str]:
    packed = name.endswith(".gz")
    return cast(IO[str], BgzfWriter(str(path))) if packed else path.open("w")


def _write_header(
    source: str | Path, out: IO[str], fields: Sequence[InfoField], contigs: Sequence[str]
) -> None:
    """Copy the header, with the new fields declared as its last lines."""
    own = tuple(f"##INFO=<ID={field.name}," for field in fields)
    header = []
    with open_text(source, "variants") as stream:
        for line in stream:
            if not line.startswith("#"):
                break
            header.append(line.rstrip("\r\n"))
    *meta, columns = header
    meta = [line for line in meta if not line.startswith(own)]
    if not meta or not meta[0].startswith("##fileformat="):
        meta.insert(0, _VERSION)
    if not any(line.startswith("##contig=") for line in meta):
        meta += contigs
    names = columns.split("\t")
    names += _COLUMNS.split("\t")[len(names) :]
    out.write("\n".join([*meta, *(field.header for field in fields), "\t".join(names), ""]))


def _info(
    columns: Sequence[str],
    fields: Sequence[InfoField],
    values: Mapping[Allele, Mapping[str, object]],
) -> str:
    """Give a line's INFO with the new fields; without any where no allele has values."""
    chrom, position, _, ref, alts = columns[:5]
    its = [
        values.get((chrom, int(position) - 1, ref.upper(), alt.upper()), {})
        for alt in alts.split(",")
    ]
    own = {field.name for field in fields}
    old = [part for part in columns[INFO].split(";") if part.partition("=")[0] not in own]
    new = [
        f"{field.name}={','.join(_text(value.get(field.name)) for value in its)}"
        for field in fields
        if any(value.get(field.name) is not None for value in its)
    ]
    kept = [part for part in old if part != "."]
    return ";".join(kept + new) or "."


def _text(value: object) -> str:
    """Write a value as INFO takes it: without the letters that part fields and values."""
    if value is None or value == "":
        return "."
    if isinstance(value, float):
        return f"{value:.6g}"
    return _RESERVED.sub(lambda found: f"%{ord(found[0]):02X}", str(value))
