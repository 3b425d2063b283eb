"""HDF5 files on which the library would crash or loop for ever are refused in bounded time."""

import os
import struct
import time

import anndata as ad
import h5py
import numpy as np
import pytest

from cisgrammar.common import hdf5_safety
from cisgrammar.common.errors import InputError
from cisgrammar.common.files import read_h5ad, write_h5ad
from cisgrammar.common.hdf5_safety import look_through, survive
from cisgrammar.interpret.contributions import read_contributions
from cisgrammar.interpret.neurons.files import read_facets, read_samples
from cisgrammar.models.network_files import read_network

ENDLESS = struct.pack("<Q", 2**64 - 16)  # with its header of 16 bytes the size wraps round to 0


def test_work_that_ends_is_no_matter_however_it_ends():
    survive("a.h5ad", lambda: 1)
    survive("a.h5ad", lambda: 1 / 0)
    survive("a.h5ad", lambda: os._exit(3))


def test_work_that_crashes_is_told():
    with pytest.raises(InputError, match=r"a\.h5ad: .*crashes on it \(SIGABRT\)"):
        survive("a.h5ad", os.abort)
    with pytest.raises(InputError, match=r"SIGKILL.*memory ran out"):
        survive("a.h5ad", lambda: os.kill(os.getpid(), 9))


def test_work_that_never_ends_is_stopped():
    start = time.monotonic()
    with pytest.raises(InputError, match=r"did not end within 0 s"):
        survive("a.h5ad", lambda: time.sleep(60), limit=0.2)
    assert time.monotonic() - start < 10


def make_endless(path):
    """Damage the heap of texts so that HDF5 2.0 goes over it for ever, without leaving C."""
    content = path.read_bytes()
    at = content.index(b"GCOL") + 16 + 8  # size of its first text
    path.write_bytes(content[:at] + ENDLESS + content[at + 8 :])
    return path


@pytest.fixture
def endless(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5_safety, "TIME_LIMIT", 0.5)
    path = tmp_path / "made.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("names", data=np.array(["a", "b"], object), dtype=h5py.string_dtype())
    return make_endless(path)


@pytest.mark.parametrize("where", ["/", "group", "group/numbers"])
def test_a_text_beside_the_data_can_be_endless_too(tmp_path, monkeypatch, where):
    path = tmp_path / "made.h5"
    with h5py.File(path, "w") as file:
        file["group/numbers"] = [1, 2]
        file[where].attrs["kind"] = np.array(["a", "b"], object)
    make_endless(path)
    with pytest.raises(InputError, match="did not end"):
        look_through(path, limit=0.5)


@pytest.mark.parametrize("backed", [None, "r"])
def test_an_own_h5ad_that_never_ends_is_stopped(tmp_path, monkeypatch, backed):
    path = tmp_path / "pools.h5ad"
    write_h5ad(ad.AnnData(np.eye(3, dtype=np.float32)), path)
    make_endless(path)
    monkeypatch.setattr(hdf5_safety, "TIME_LIMIT", 0.5)
    with pytest.raises(InputError, match=r"pools\.h5ad: .*not end.*: delete it and run again"):
        read_h5ad(path, backed)


@pytest.mark.parametrize("read", [read_contributions, read_facets, read_samples])
def test_other_own_files_that_never_end_are_stopped(endless, read):
    with pytest.raises(InputError, match=r"made\.h5: .*not end.*: delete it and run again"):
        read(endless)


@pytest.mark.parametrize("read", [read_contributions, read_facets, read_samples])
@pytest.mark.parametrize("group", [False, True])
def test_other_own_files_of_another_kind_are_named(tmp_path, read, group):
    path = tmp_path / "made.h5"
    with h5py.File(path, "w") as file:
        file["layer1/neuron0" if group else "layer1"] = 1
    with pytest.raises(InputError, match=r"made\.h5: this is not the file of .*Delete it and run"):
        read(path)


def test_weights_that_never_end_are_stopped(endless, tmp_path):
    layers = tmp_path / "layers.yaml"
    layers.write_text("layers: [{convolution: conv1d_1}]")
    with pytest.raises(InputError, match=r"made\.h5: .*not end.*fetch or write the file again"):
        read_network(endless, layers)


@pytest.mark.parametrize("size", [0, 3, 3_000_000])
def test_a_sound_file_is_looked_through_and_little_of_it_is_read(tmp_path, size):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("large", (size, 10), "f8", chunks=True)  # 240 MB that nobody wrote
        file["names"] = [f"n{i}" for i in range(4)]
        file["group/one"] = 1.5
        file["group"].attrs["kind"] = "x"
    start = time.monotonic()
    look_through(path)
    assert time.monotonic() - start < 10


def test_what_is_merely_wrong_is_left_to_the_reader(tmp_path):
    path = tmp_path / "a.h5"
    path.write_text("not HDF5")
    look_through(path)
    look_through(tmp_path / "nowhere.h5")
