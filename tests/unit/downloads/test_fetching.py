import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace

import pytest
from made_inputs import write
from made_server import serve

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import alone_with
from cisgrammar.downloads import fetching
from cisgrammar.downloads.fetching import fetch, unpack
from cisgrammar.downloads.sources import Source

CONTENT = bytes(range(256)) * 400
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with serve(CONTENT) as served:
        yield served


def source(url, **changes):
    known = {"version": "1", "licence": "CC0", "citation": "", "note": ""}
    return replace(Source("set", "file.bin", url=url, sha256=SUM, size=None, **known), **changes)


def get(server, target, **changes):
    return fetch(source(server.url, **changes), target, tries=3, wait=0.001)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_whole_with_nothing_beside_it(server, tmp_path):
    target = tmp_path / "new" / "file.bin"
    assert get(server, target, size=len(CONTENT)) == SUM
    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["file.bin"]
    assert server.asked == [None]


@pytest.mark.parametrize(
    "faults, asked",
    [
        (["drop"], [None, "bytes=51200-"]),
        (["drop", "drop"], [None, "bytes=51200-", "bytes=76800-"]),
        (["drop"] * 6, 7),  # each brings something, so that it goes on
        (["refuse", 503, None], 3),
        ([429], 2),
    ],
)
def test_it_goes_on_where_the_connection_broke(server, tmp_path, faults, asked):
    server.faults = faults
    target = tmp_path / "file.bin"
    get(server, target)
    assert target.read_bytes() == CONTENT
    assert names(tmp_path) == ["file.bin"]
    assert (server.asked if isinstance(asked, list) else len(server.asked)) == asked


def test_a_second_call_goes_on_where_the_first_gave_up(server, tmp_path):
    server.faults = ["drop", "refuse", "refuse"]
    target = tmp_path / "file.bin"
    with pytest.raises(InputError, match=r"3 tries in a row .*51,200 bytes are kept"):
        fetch(source(server.url), target, tries=3, wait=0.001)
    assert not target.exists()
    server.asked.clear()
    get(server, target)
    assert server.asked == ["bytes=51200-"]
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    server.faults, server.ranges = ["drop"], False
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("tag", ['"two"', ""])
def test_parts_of_two_versions_are_not_joined(server, tmp_path, tag):
    """The server's file changes between the calls: its new version is fetched from the start."""
    server.faults = ["drop", "refuse", "refuse"]
    server.tag = tag and '"one"'
    target = tmp_path / "file.bin"
    with pytest.raises(InputError):
        get(server, target, sha256="")
    server.content, server.tag = CONTENT[::-1], tag
    get(server, target, sha256="")
    assert target.read_bytes() == CONTENT[::-1]


def test_a_part_of_another_url_is_not_gone_on_with(server, tmp_path):
    server.faults = ["drop", "refuse", "refuse"]
    target = tmp_path / "file.bin"
    with pytest.raises(InputError):
        get(server, target)
    server.asked.clear()
    fetch(source(server.url + "?new"), target, tries=1)
    assert server.asked == [None]


def test_a_part_that_is_whole_already_is_taken(server, tmp_path):
    """As when a job is killed between the last byte and the new name."""
    server.faults = ["drop", "refuse", "refuse"]
    target = tmp_path / "file.bin"
    with pytest.raises(InputError):
        get(server, target)
    (tmp_path / ".file.bin.partial").write_bytes(CONTENT)
    get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_thrown_away(server, tmp_path):
    server.faults = ["drop", "refuse", "refuse"]
    target = tmp_path / "file.bin"
    with pytest.raises(InputError):
        get(server, target)
    (tmp_path / ".file.bin.partial").write_bytes(CONTENT * 2)
    get(server, target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"sha256": "0" * 64}, [f"its SHA-256 is {SUM}, not 000"]),
        ({"sha256": "", "size": 3}, ["it has 102,400 bytes, not 3"]),
        ({"sha256": "0" * 64, "size": 3}, ["SHA-256", " and it has"]),
    ],
)
def test_a_wrong_file_is_kept_aside_and_not_taken(server, tmp_path, changes, words):
    with pytest.raises(InputError) as error:
        get(server, tmp_path / "file.bin", **changes)
    message = str(error.value)
    for word in [*words, f"file.bin.wrong-{SUM[:8]}", "new version", "downloads.sources"]:
        assert word in message
    assert names(tmp_path) == [f"file.bin.wrong-{SUM[:8]}"]
    assert (tmp_path / f"file.bin.wrong-{SUM[:8]}").read_bytes() == CONTENT
    get(server, tmp_path / "file.bin")  # the next call begins anew


@pytest.mark.parametrize(
    "status, words", [(404, "moved or taken away"), (403, "log in"), (400, "does not give")]
)
def test_what_will_not_change_is_not_tried_again(server, tmp_path, status, words):
    server.faults = [status]
    with pytest.raises(InputError, match=rf"answers {status} .*{words}.*put it at .*file\.bin"):
        get(server, tmp_path / "file.bin")
    assert len(server.asked) == 1
    assert names(tmp_path) == []


def test_a_page_in_place_of_a_file_is_refused(server, tmp_path):
    server.content, server.kind = b"<html>please log in</html>", "text/html; charset=utf-8"
    with pytest.raises(InputError, match="what it sends is a web page"):
        get(server, tmp_path / "file.bin", sha256="")
    with pytest.raises(InputError, match="begins with b'<html>please log in"):
        get(server, tmp_path / "file.bin")


def test_no_network_is_an_error_in_words(tmp_path):
    with serve(CONTENT) as served:
        url = served.url
    with pytest.raises(InputError, match="Is there a connection to the network") as error:
        fetch(source(url), tmp_path / "file.bin", tries=2, wait=0.001)
    assert "object at" not in str(error.value)
    assert names(tmp_path) == []


def test_two_jobs_do_not_write_to_one_part(server, tmp_path):
    with (
        alone_with(tmp_path / ".file.bin.partial"),
        pytest.raises(InputError, match="another job"),
    ):
        get(server, tmp_path / "file.bin")


def write_zip(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path, **files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return path


def member(name, **changes):
    return source(f"download:set/all.zip#{name}", **changes)


@pytest.mark.parametrize("make", [write_zip, write_tar])
def test_a_file_is_taken_out_of_an_archive(tmp_path, make):
    archive = make(tmp_path / "all", **{"FACS/a.csv": CONTENT, "../b": CONTENT[::-1]})
    unpack(member("FACS/a.csv"), archive, tmp_path / "out/a.csv")
    assert (tmp_path / "out/a.csv").read_bytes() == CONTENT
    unpack(member("../b", sha256=""), archive, tmp_path / "out/b")  # its path decides nothing
    assert names(tmp_path) == ["all", "out"]
    assert names(tmp_path / "out") == ["a.csv", "b"]


@pytest.mark.parametrize("make", [write_zip, write_tar])
def test_bad_archives_are_named_and_leave_nothing(tmp_path, make):
    archive = make(tmp_path / "all", **{"a.csv": CONTENT})
    target = tmp_path / "out/a.csv"
    with pytest.raises(InputError, match=r"no b\.csv in .*Did you mean `a\.csv`.* holds a\.csv"):
        unpack(member("b.csv"), archive, target)
    with pytest.raises(InputError, match="SHA-256"):
        unpack(member("a.csv", sha256="0" * 64), archive, target)
    (tmp_path / f"out/a.csv.wrong-{SUM[:8]}").unlink()
    archive.write_bytes(archive.read_bytes()[:400])
    with pytest.raises(InputError, match="damaged"):
        unpack(member("a.csv"), archive, target)
    with pytest.raises(InputError, match="neither zip nor tar"):
        unpack(member("a.csv"), write(tmp_path / "text", "a,b\n"), target)
    assert names(tmp_path / "out") == []


def test_links_and_folders_in_archives_are_not_followed_out(tmp_path):
    secret = write(tmp_path / "secret", "secret")
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        link = tarfile.TarInfo("a.csv")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(link)
        folder = tarfile.TarInfo("b")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    for name in ("a.csv", "b"):
        with pytest.raises(InputError):
            unpack(member(name, sha256=""), tmp_path / "all.tar", tmp_path / "out")
    assert names(tmp_path) == ["all.tar", "secret"]


@pytest.mark.parametrize("make", [write_zip, write_tar])
@pytest.mark.parametrize("size", [len(CONTENT) // 2, None])
def test_a_member_larger_than_it_can_be_is_not_written_out(tmp_path, monkeypatch, make, size):
    monkeypatch.setattr(fetching, "LARGEST_UNPACKED", 0)
    monkeypatch.setattr(fetching, "MOST_PACKED", 0)
    monkeypatch.setattr(fetching, "BLOCK", 4)
    archive = make(tmp_path / "all", **{"a.csv": CONTENT})
    with pytest.raises(InputError, match=r"all: a\.csv has more than the [\d,]+ bytes"):
        unpack(member("a.csv", size=size), archive, tmp_path / "out/a.csv")
    assert names(tmp_path / "out") == []


@pytest.mark.parametrize("at, value", [(0, None), (6, 1), (8, 77), (26, 255)])
def test_a_zip_that_is_damaged_anywhere_is_named(tmp_path, at, value):
    """A byte is missing, or it claims a password, an unknown packing, a long name."""
    archive = write_zip(tmp_path / "all", **{"a.csv": CONTENT})
    content = bytearray(archive.read_bytes())
    if value is None:
        del content[at]
    else:
        content[at] = value
        content[content.index(b"PK\x01\x02") + 2 + at] = value  # in the table at its end too
    archive.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        unpack(member("a.csv"), archive, tmp_path / "out/a.csv")
