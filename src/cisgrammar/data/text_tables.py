"""Tables of text that users bring: a header, and names in the first column."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from pathlib import Path

import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, open_text

UNSOUND = (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning)


def read_text_table(path: str | Path, key: str, separators: str = "\t") -> pd.DataFrame:
    """Read a table as text, its first column as index.

    Parameters
    ----------
    path
        Plain or gzip.
    key
        The config's key that names the file, for messages.
    separators
        Of columns: the first of them that the header has.

    Returns
    -------
    Text as it stands: ``01`` and ``NA`` too. May be empty.

    Raises
    ------
    InputError
        If it is not a table, or two columns have one name.
    """
    takes = "tabs" if separators == "\t" else "tabs or commas"
    with open_text(path, key) as stream, warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # of rows that would be cut
        first, second = stream.readline(), stream.readline()
        separator = next((one for one in separators if one in first), separators[0])
        try:
            names, values = (
                next(csv.reader([line], delimiter=separator), []) for line in (first, second)
            )
            if len(values) == len(names) + 1:  # as R writes it: row names have no header
                names = ["", *names]
            if not names:
                raise csv.Error("its first line is empty")
            stream.seek(0)
            # an index that pandas makes itself is not text: it would read 01 as 1
            frame = pd.read_csv(stream, sep=separator, dtype=str, keep_default_na=False,
                                header=None, skiprows=1, names=range(len(names)),
                                index_col=False)  # fmt: skip
        except (csv.Error, *UNSOUND) as error:
            raise InputError(
                f"{path}: this is not a sound table ({error}). `{key}` takes a header line and "
                f"columns separated by {takes}."
            ) from None
    again = [name for name, times in Counter(names).items() if times > 1]
    if again:
        raise InputError(
            f"{path}: {len(again)} columns have the name of another ({examples(again)}). Names "
            f"tell what is in a column: make each one different in the table of `{key}`."
        )
    return frame.set_axis(names, axis=1).set_index(names[0])
