"""Files from the web: fetched once, checked, and kept in a folder that data sets share."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import lzma
import re
import struct
import tarfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import IO

import requests
import urllib3

from cisgrammar import __version__
from cisgrammar.common.errors import InputError
from cisgrammar.common.files import alone_with, whole_file
from cisgrammar.common.inputs import examples, nearest
from cisgrammar.common.provenance import sha256
from cisgrammar.downloads.sources import KEY, Source

logger = logging.getLogger(__name__)

TRIES = 5  # in a row that brought nothing
WAIT = 2.0  # seconds before the second try; doubled each time
LONGEST_WAIT = 60.0
TIMEOUT = 60.0  # seconds without a byte
BLOCK = 1 << 20
LARGEST_UNPACKED = 1_000_000_000  # bytes that any member may have
MOST_PACKED = 100  # times as many as the archive has, beyond that

# what zipfile and tarfile raise at damaged archives
_OF_ARCHIVES = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError,
    ValueError, RuntimeError, LookupError, struct.error,
)  # fmt: skip
_AGAIN = {408, 425, 429, 500, 502, 503, 504}  # states of a server that pass


def fetch(source: Source, target: str | Path, tries: int = TRIES, wait: float = WAIT) -> str:
    """Download a file, whole or not at all.

    What came before a connection broke stays beside the target, under a name of its
    own, and the next try (or the next call) goes on there, if the server can.

    Parameters
    ----------
    source
        Where from, and what is known of the right file.
    target
        Where to.
    tries
        Tries in a row without a new byte before giving up.
    wait
        Seconds before the second try; doubled for each further one.

    Returns
    -------
    The file's SHA-256.

    Raises
    ------
    InputError
        If the server refuses or cannot be reached, or what it sent is not the right
        file, which is then kept under another name; or if another job is at it.
    """
    target = Path(target)
    partial = target.with_name(f".{target.name}.partial")
    with alone_with(partial), requests.Session() as session:
        session.headers["User-Agent"] = f"cisgrammar/{__version__}"
        session.headers["Accept-Encoding"] = "identity"  # the bytes as they are on the disk there
        failures = 0
        while failures < tries:
            before = _size(partial)
            try:
                _download(session, source, partial, target)
                break
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                failures = failures + 1 if _size(partial) <= before else 1
                if failures == tries:
                    raise InputError(_gave_up(source, target, partial, tries, error)) from None
                pause = min(wait * 2 ** (failures - 1), LONGEST_WAIT)
                logger.warning("%s: %s; trying again in %g s", source.url, error, pause)
                time.sleep(pause)
        found = _check(source, partial, target)
        partial.replace(target)
        _state(partial).unlink(missing_ok=True)
    return found


def unpack(source: Source, archive: str | Path, target: str | Path) -> None:
    """Take a file out of an archive, whole or not at all.

    Only its content is taken: paths within archives never decide where anything is written.

    Parameters
    ----------
    source
        Which member.
    archive
        zip, or tar in any compression.
    target
        Where to.

    Raises
    ------
    InputError
        If it is not an archive, is damaged, has no such member, or the member is another file.
    """
    archive, target = Path(archive), Path(target)
    try:
        with contextlib.ExitStack() as stack:
            member = _open_member(source, archive, stack)
            partial = stack.enter_context(whole_file(target))
            with partial.open("wb") as file:
                _copy(source, archive, member, file)
            _check(source, partial, target)
    except _OF_ARCHIVES as error:
        if isinstance(error, InputError) or (
            isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
        ):
            raise  # of the disk, not of the archive
        raise InputError(
            f"{archive}: the archive is damaged or cut short ({error}). Remove it, so that it is "
            "fetched again."
        ) from None


def _copy(source: Source, archive: Path, member: IO[bytes], file: IO[bytes]) -> None:
    """Write a member, and stop where it is larger than it can be."""
    most = _most_unpacked(archive) if source.size is None else source.size
    written = 0
    while block := member.read(BLOCK):
        written += len(block)
        if written > most:
            known = "the table says" if source.size is not None else "such an archive can hold"
            raise InputError(
                f"{archive}: {source.member} has more than the {most:,} bytes that {known}, so it "
                f"is not what was expected. Look at the archive; correct the row of {source.name} "
                f"in the table of sources (`{KEY}`)."
            )
        file.write(block)


def _most_unpacked(archive: Path) -> int:
    """Cap what comes out of an archive: data pack a hundredfold at the very most."""
    return LARGEST_UNPACKED + MOST_PACKED * archive.stat().st_size


def _open_member(source: Source, archive: Path, stack: contextlib.ExitStack) -> IO[bytes]:
    opened: zipfile.ZipFile | tarfile.TarFile
    if zipfile.is_zipfile(archive):
        opened = stack.enter_context(zipfile.ZipFile(archive))
        names = opened.namelist()
    elif tarfile.is_tarfile(archive):
        opened = stack.enter_context(tarfile.open(archive))  # noqa: SIM115
        names = opened.getnames()
    else:
        raise InputError(
            f"{archive}: this is neither zip nor tar, or it is damaged. Remove it, so that it is "
            f"fetched again, or correct the row of {source.archive} in the table (`{KEY}`)."
        )
    if source.member not in names:
        hint = nearest(source.member, names)
        raise InputError(
            f"{archive}: there is no {source.member} in the archive.{hint} "
            f"It holds {examples(names, 20)}. Correct the url of {source.name} (`{KEY}`)."
        )
    if isinstance(opened, zipfile.ZipFile):
        return stack.enter_context(opened.open(source.member))
    found = opened.getmember(source.member)
    member = opened.extractfile(found) if found.isfile() else None
    if member is None:
        raise InputError(
            f"{archive}: {source.member} is a folder or a link, not a file. Name a file in the url "
            f"of {source.name} (`{KEY}`)."
        )
    return stack.enter_context(member)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _state(partial: Path) -> Path:
    """Where it is written down which version of a file a part belongs to."""
    return partial.with_name(f"{partial.name}.json")


def _download(session: requests.Session, source: Source, partial: Path, target: Path) -> None:
    """Try once: go on after what is there, or begin."""
    there = _size(partial)
    headers = _go_on(source, partial) if there else None
    if headers is None:
        there, headers = 0, {}
    with session.get(source.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:  # nothing after what is there
            total = response.headers.get("Content-Range", "").rpartition("/")[2]
            if total == str(there):
                return
            partial.unlink()
            raise requests.RequestException("the part that was there does not fit")
        _refuse(source, target, response)
        goes_on = response.status_code == 206
        if goes_on and not response.headers.get("Content-Range", "").startswith(f"bytes {there}-"):
            partial.unlink()
            raise requests.RequestException("the server sent another part than was asked for")
        logger.info("%s: from byte %d on", source.url, there if goes_on else 0)
        _state(partial).write_text(json.dumps({"url": source.url, "version": _version(response)}))
        with partial.open("ab" if goes_on else "wb") as file:
            for block in response.raw.stream(BLOCK, decode_content=False):
                file.write(block)


def _go_on(source: Source, partial: Path) -> dict[str, str] | None:
    """Ask for the rest, of the very same version; None if it cannot be known to be that."""
    try:
        state = json.loads(_state(partial).read_text())
    except (OSError, ValueError):
        return None
    if state.get("url") != source.url or not (state.get("version") or source.sha256):
        return None
    headers = {"Range": f"bytes={_size(partial)}-"}
    return headers | ({"If-Range": state["version"]} if state.get("version") else {})


def _version(response: requests.Response) -> str:
    """Say which version of a file a server has; weak tags do not."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _refuse(source: Source, target: Path, response: requests.Response) -> None:
    """Stop where another try, or what the server sends, would be of no use."""
    status = response.status_code
    if status in _AGAIN:
        raise requests.RequestException(f"the server says {status} {response.reason}")
    if status in (401, 403):
        cause = "It wants you to log in or to accept terms."
    elif status in (404, 410):
        cause = "The file was moved or taken away."
    elif status >= 400:
        cause = "It does not give the file."
    elif not source.sha256 and _is_page(response) and target.suffix not in (".html", ".htm"):
        status, cause = 200, "But what it sends is a web page: probably one to log in, or an error."
    else:
        return
    raise InputError(
        f"{source.name}: {source.url} answers {status} {response.reason}. {cause} Please "
        f"{_by_hand(source, target)}"
    )


def _is_page(response: requests.Response) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html")


def _by_hand(source: Source, target: Path) -> str:
    return (
        f"get the file in another way and put it at {target}, or correct the URL of {source.name} "
        f"in the table of sources (`{KEY}`); a path will do there too."
    )


def _gave_up(source: Source, target: Path, partial: Path, tries: int, error: Exception) -> str:
    kept = f" {_size(partial):,} bytes are kept, and the next call goes on there." * (
        _size(partial) > 0
    )
    return (
        f"{source.name}: {source.url} could not be fetched; {tries} tries in a row brought nothing "
        f"({_plain(error)}).{kept} Is there a connection to the network here? "
        f"Call again when there is, or {_by_hand(source, target)}"
    )


def _plain(error: Exception) -> str:
    """Give an error's own words, without the objects that libraries wrap around them."""
    return re.sub(r"<[^>]*object at[^>]*>[:,]? *", "", str(error))[:200]


def _check(source: Source, partial: Path, target: Path) -> str:
    """Compare with what is known of the right file; set a wrong one aside."""
    found, size = sha256(partial), _size(partial)
    wrong = []
    if source.sha256 and found != source.sha256:
        wrong.append(f"its SHA-256 is {found}, not {source.sha256}")
    if source.size is not None and size != source.size:
        wrong.append(f"it has {size:,} bytes, not {source.size:,}")
    if not wrong:
        if not source.sha256:
            logger.warning("%s: no checksum is known; the one found is %s", source.name, found)
        return found
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{target.name}.wrong-{found[:8]}")
    with partial.open("rb") as file:
        start = file.read(40)
    partial.replace(aside)
    _state(partial).unlink(missing_ok=True)
    raise InputError(
        f"{source.name}: what {source.url} sent is not the file that was expected: "
        f"{' and '.join(wrong)}. It is kept aside as {aside}, and begins with {start!r}. Either "
        "the server has a new version, or the file was damaged or replaced on its way: look at it; "
        f"if it is right, correct the row of {source.name} in the table of sources (`{KEY}`) and "
        f"move it to {target}; if not, call again."
    )
