"""Archives of pictures: read as a folder of them is; from strangers, they write nothing outside of it."""

import io
import stat
import zipfile

import numpy as np
import pytest
from PIL import Image

from workbench.api.errors import InvalidInput, Refused
from workbench.data.files import read_path, require_plausible
from workbench.data.picture_archive import unpack_pictures
from workbench.data.preview import preview

LIMIT = 2**24


def png(value=0):
    file = io.BytesIO()
    Image.new("L", (10, 8), value).save(file, "PNG")
    return file.getvalue()


def pack(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def two_classes(around=""):
    return {
        f"{around}{name}/{number}.png": png(value + number)
        for number in range(6)
        for name, value in (("cat", 0), ("dog", 100))
    }


@pytest.mark.parametrize("around", ["", "animals/"])
def test_an_archive_reads_as_its_folder_does(tmp_path, around):
    others = {"__MACOSX/cat/._0.png": b"x", f"{around}readme.txt": b"no picture"}
    path = pack(tmp_path / "animals.zip", two_classes(around) | others)
    require_plausible(path)
    raw = read_path(path, label=None, limit_bytes=LIMIT)
    folder = tmp_path / "animals"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    plain = read_path(folder, label=None, limit_bytes=LIMIT)
    assert raw.name == plain.name == "animals"
    assert raw.classes == plain.classes == ("cat", "dog")
    np.testing.assert_array_equal(raw.splits["train"].x[""], plain.splits["train"].x[""])
    np.testing.assert_array_equal(raw.splits["train"].y, plain.splits["train"].y)
    looked = preview(path, LIMIT)
    assert looked.counts == (("cat", 6), ("dog", 6))
    assert [name for name, _ in looked.pictures] == ["cat", "dog"]


def link(name):
    member = zipfile.ZipInfo(name)
    member.create_system, member.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize(
    "member", ["../out.png", "/out.png", "a\\..\\..\\out.png", "cat/../../out.png", link("cat/9.png")]
)
def test_a_member_that_leads_out_is_refused_at_once_and_nothing_is_written(tmp_path, member):
    path = pack(tmp_path / "hostile.zip", two_classes() | {member: b"/etc/passwd"})
    target = tmp_path / "inner" / "target"
    target.mkdir(parents=True)
    with pytest.raises(Refused, match="is not unpacked because of"):
        require_plausible(path)
    with pytest.raises(Refused, match="is not unpacked because of"):
        unpack_pictures(path, target, LIMIT)
    assert list(target.iterdir()) == []


def test_what_would_fill_the_disk_is_refused(tmp_path):
    path = pack(tmp_path / "large.zip", {"cat/0.png": bytes(2**22), "dog/0.png": png()})
    with pytest.raises(Refused, match="the limit is"):
        unpack_pictures(path, tmp_path, 2**20)
    # A member that holds more than its directory says.
    content = bytearray(pack(tmp_path / "small.zip", {"cat/0.png": bytes(2**20)}).read_bytes())
    end = content.rindex(b"PK\x01\x02")
    content[end + 24 : end + 28] = (100).to_bytes(4, "little")
    (tmp_path / "liar.zip").write_bytes(bytes(content))
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises((Refused, InvalidInput)):
        unpack_pictures(tmp_path / "liar.zip", target, LIMIT)
    assert sum(file.stat().st_size for file in target.rglob("*.png")) <= 2**20


@pytest.mark.parametrize("content", [b"", b"PK", b"junk" * 100])
def test_what_is_no_archive_is_refused_at_once(tmp_path, content):
    path = tmp_path / "broken.zip"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"is empty|is damaged"):
        require_plausible(path)


def test_two_files_of_one_name_are_refused(tmp_path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cat/0.png", png())
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("cat/0.png", png(1))
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(Refused, match="two files of one name"):
        unpack_pictures(path, target, LIMIT)
