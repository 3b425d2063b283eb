"""HDF5 files that its library may hang on or crash in, or that lead elsewhere.

The library loops for ever on some damage, without leaving Python a say. So a copy of this process
looks first, and is ended when it takes too long.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import h5py

from cisgrammar.common.errors import InputError

logger = logging.getLogger(__name__)

TIME_LIMIT = 300.0  # seconds for names, labels and a sample of the values
MOST_OBJECTS = 100_000
SMALL = 16_000_000  # bytes; such arrays are read whole
USERS = "fetch or write the file again"
OURS = "delete it and run again"


def look_through(path: str | Path, advice: str = USERS, limit: float | None = None) -> None:
    """Read names, attributes and small arrays of an HDF5 file in a copy of this process.

    Of large arrays the index of their chunks, the first and the last row are read. What is merely
    wrong is left to the reader that follows.

    Parameters
    ----------
    path
        The file.
    advice
        What to do about a damaged one, for the message.
    limit
        Seconds that it may take; :data:`TIME_LIMIT` by default.

    Raises
    ------
    InputError
        If the library crashed, or did not end.
    """
    survive(path, lambda: _read_through(path), TIME_LIMIT if limit is None else limit, advice)


def _read_through(path: str | Path) -> None:
    with h5py.File(path, "r") as file:
        seen: set[int] = set()
        todo: list[h5py.Group | h5py.Dataset] = [file["/"]]
        while todo:
            found = todo.pop()
            _read_attributes(found)
            if isinstance(found, h5py.Dataset):
                with contextlib.suppress(Exception):
                    _read_some(found)
            elif isinstance(found, h5py.Group) and _address(found) not in seen:
                seen.add(_address(found))
                todo += _members(found)


def _read_attributes(found: h5py.Group | h5py.Dataset) -> None:
    with contextlib.suppress(Exception):
        for name in found.attrs:
            with contextlib.suppress(Exception):
                found.attrs[name]


def _members(group: h5py.Group) -> list[h5py.Group | h5py.Dataset]:
    members = []
    with contextlib.suppress(Exception):
        for name in group:
            with contextlib.suppress(Exception):
                if isinstance(group.get(name, getlink=True), h5py.HardLink):
                    members.append(group[name])
    return members


def _read_some(found: h5py.Dataset) -> None:
    if found.chunks:
        found.id.get_num_chunks()
    texts = h5py.check_string_dtype(found.dtype) or h5py.check_vlen_dtype(found.dtype)
    if texts or found.nbytes <= SMALL:
        found[...]
    elif len(found):
        found[0], found[-1]


def survive(
    path: str | Path,
    work: Callable[[], object],
    limit: float = TIME_LIMIT,
    advice: str = USERS,
) -> None:
    """Do some work in a copy of this process, which may crash or never end.

    Parameters
    ----------
    path
        The file that it reads, for messages.
    work
        What to try; what it returns or raises is lost.
    limit
        Seconds that it may take.
    advice
        What to do about a damaged file.

    Raises
    ------
    InputError
        If it crashed, or did not end.
    """
    child = os.fork()
    if child == 0:
        try:
            logging.disable(logging.CRITICAL)
            faulthandler.disable()
            work()
        except BaseException:  # the parent meets it too, and tells it
            pass
        finally:
            os._exit(0)
    end, pause = time.monotonic() + limit, 0.002
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise InputError(
                f"{path}: reading its names, labels and first values did not end within "
                f"{limit:.0f} s. It is probably damaged (or its disk hardly answers): {advice}."
            )
        time.sleep(pause)
        pause = min(2 * pause, 0.2)
    if os.WIFSIGNALED(ended[1]):
        name = signal.Signals(os.WTERMSIG(ended[1])).name
        cause = "memory ran out, or it is" if name == "SIGKILL" else "it is"
        raise InputError(
            f"{path}: the library that reads it crashes on it ({name}); {cause} damaged: {advice}."
        )


def refuse_other_files(path: str | Path, file: h5py.File) -> None:
    """Stop at an HDF5 file that leads to other files, which nobody meant to be read.

    Raises
    ------
    InputError
        If it has external links, or data in other files.
    """
    seen, todo = {_address(file)}, [file["/"]]
    while todo:
        group = todo.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise InputError(_leads_elsewhere(path, f"{group.name}/{name}", link.filename))
            if isinstance(link, h5py.SoftLink):
                continue  # to a place that is visited anyway, or to none
            found = group[name]
            if isinstance(found, h5py.Dataset):
                if found.external or found.is_virtual:
                    sources = found.external or [(s.file_name,) for s in found.virtual_sources()]
                    raise InputError(_leads_elsewhere(path, found.name, str(sources[0][0])))
            elif isinstance(found, h5py.Group) and _address(found) not in seen:
                seen.add(_address(found))
                todo.append(found)
        if len(seen) > MOST_OBJECTS:
            raise InputError(
                f"{path}: the file has more than {MOST_OBJECTS:,} groups, as no file of counts "
                "has. It is damaged, or of another kind."
            )


def _address(group: h5py.Group) -> int:
    return h5py.h5o.get_info(group.id).addr


def _leads_elsewhere(path: str | Path, name: str, other: str) -> str:
    return (
        f"{path}: {name} is not in this file but leads to another ({other[:100]}). Files are read "
        "alone, so that nothing is read that you did not name: write it whole, with anndata's "
        "`read_h5ad` and `write_h5ad` or `h5repack`."
    )
