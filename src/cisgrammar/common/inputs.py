"""Opening what users bring: plain or compressed text, and words for error messages."""

from __future__ import annotations

import codecs
import contextlib
import difflib
import gzip
import io
import logging
import signal
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TextIO, cast

from cisgrammar.common.errors import InputError

logger = logging.getLogger(__name__)

_BLOCK = 1 << 20
_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OTHER_COMPRESSION = {
    b"BZh": "bzip2",
    b"PK\x03\x04": "zip",
    b"\xfd7zXZ": "xz",
    b"(\xb5/\xfd": "zstd",
}


def examples(names: Iterable[object], n: int = 3) -> str:
    """Show the first few names: ``chr1, chr2, chr3, ...``."""
    shown = [str(name) for name in names]
    return ", ".join(shown[:n]) + (", ..." if len(shown) > n else "") if shown else "none"


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Say which known word was probably meant; empty when none is near."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return f" Did you mean `{by_lower[near[0]]}`?" if near else ""


def require_file(path: str | Path, key: str, folder_too: bool = False) -> Path:
    """Check that a file is there and not empty.

    Parameters
    ----------
    path
        What the config names.
    key
        The config's key, for the message.
    folder_too
        Whether a folder will do, such as Cell Ranger's.

    Returns
    -------
    The path.

    Raises
    ------
    InputError
        If it is missing, a folder (unless that will do), or empty.
    """
    path = Path(path)
    try:
        path.stat()
    except FileNotFoundError:
        pass  # said below
    except (OSError, ValueError) as error:  # too long, a zero byte, a folder that may not be read
        raise InputError(
            f"{str(path)[:200]}: this path cannot be looked at ({error}). Correct `{key}`, or the "
            "rights of its folders."
        ) from None
    if path.is_dir():
        if folder_too:
            return path
        raise InputError(f"{path}: this is a folder, not a file. Name the file in `{key}`.")
    if not path.exists():
        folder = path.parent
        if not folder.is_dir():
            hint = f" The folder {folder} is not there either."
        else:
            hint = nearest(path.name, (other.name for other in folder.iterdir()), 0.8)
        raise InputError(
            f"{path}: no such file.{hint} Check `{key}` in the config; "
            "a relative path starts at the folder where snakemake runs."
        )
    if path.stat().st_size == 0:
        raise InputError(
            f"{path}: the file is empty (0 bytes). A download or copy has probably failed: "
            f"fetch it again, or name another file in `{key}`."
        )
    return path


@contextlib.contextmanager
def open_binary(path: str | Path, key: str) -> Iterator[IO[bytes]]:
    """Open a plain, gzip or bgzip file for reading bytes.

    Compression is told by the first bytes, not by the name.

    Parameters
    ----------
    path, key
        As in :func:`require_file`.

    Yields
    ------
    The uncompressed stream.

    Raises
    ------
    InputError
        If the file is missing, empty, compressed in another way, or its
        compression breaks off while the caller reads.
    """
    path = require_file(path, key)
    try:
        with path.open("rb") as raw:
            start = raw.read(8)
            raw.seek(0)
            _refuse_other_compression(path, start)
            if start.startswith(_GZIP):
                with gzip.GzipFile(fileobj=raw) as stream:
                    yield cast(IO[bytes], stream)
            else:
                yield raw
    except EOFError:
        raise InputError(
            f"{path}: the compressed data break off in the middle. "
            "The download or copy was cut short: fetch the file again."
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{path}: the compressed data are damaged ({error}). Fetch the file again."
        ) from None
    except PermissionError:
        raise InputError(f"{path}: no permission to read the file. Change its mode.") from None


@contextlib.contextmanager
def open_text(path: str | Path, key: str) -> Iterator[TextIO]:
    """Open a plain, gzip or bgzip file for reading text.

    UTF-8, with or without byte order mark; a file that is not UTF-8 as a whole is Latin-1, and
    a note in the log says so. Names in an old encoding are no reason to stop.

    Parameters, what is yielded and errors are those of :func:`open_binary`; UTF-16 is refused.
    """
    with open_binary(path, key) as stream:
        encoding = _encoding(path, stream)
        stream.seek(0)
        yield io.TextIOWrapper(stream, encoding=encoding)


def _encoding(path: str | Path, stream: IO[bytes]) -> str:
    """Tell UTF-8 from Latin-1 by the whole text."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    block = stream.read(_BLOCK)
    if block.startswith(_UTF16):
        raise InputError(
            f"{path}: the text is in UTF-16, as spreadsheets write `Unicode text`. Save it as "
            f"UTF-8: `iconv -f UTF-16 -t UTF-8 {path} > utf8.txt`."
        )
    try:
        while block:
            decoder.decode(block)
            block = stream.read(_BLOCK)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        logger.warning(
            "%s: the text is not UTF-8 and is read as Latin-1; if letters with accents come out "
            "wrong, save it as UTF-8", path,
        )  # fmt: skip
        return "latin-1"
    return "utf-8-sig"


def _refuse_other_compression(path: Path, start: bytes) -> None:
    for magic, kind in _OTHER_COMPRESSION.items():
        if start.startswith(magic):
            raise InputError(
                f"{path}: the file is compressed with {kind}, which is not read here. "
                "Unpack it, or compress it with gzip."
            )


@contextlib.contextmanager
def time_limit(seconds: float, message: str) -> Iterator[None]:
    """Stop what takes too long, such as a regular expression that goes over a name for ever.

    Raises
    ------
    InputError
        With the message, when the time is over. Only the main thread has a limit.
    """

    def stop(*_: object) -> None:
        raise InputError(message)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def is_bed_header(line: str) -> bool:
    """Tell a BED line that is not a region: blank, a comment, ``track ...`` or ``browser ...``."""
    return not line.strip() or line.startswith("#") or line.split()[0] in ("track", "browser")


def share(part: int, whole: int) -> float:
    """Say which part of the whole: 0 when the whole is empty."""
    return part / whole if whole else 0.0
