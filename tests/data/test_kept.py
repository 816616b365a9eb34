"""Values that are kept as they came, and what is too many for memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.data.sources import labelled
from workbench.api import dataset as api
from workbench.api.dataset import Dataset, is_large
from workbench.api.errors import InvalidInput, Refused
from workbench.api.row_array import RowArray, rescaled
from workbench.data import npz as npz_files
from workbench.data import scaling as scaling_module
from workbench.data.prepare import prepare
from workbench.data.raw import SCALINGS


def pixels(count=60, shape=(9, 8, 3), dtype=np.uint8, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(dtype)
    return values, np.arange(count) % 3


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize(("shape", "dtype"), [((9, 8, 3), "u1"), ((5,), "u1"), ((5,), ">i2"), ((4, 2), "f2")])
def test_what_is_kept_gives_the_numbers_that_were_stored_before(tmp_path, scaling, shape, dtype):
    x, y = pixels(shape=shape, dtype=dtype)
    kept = prepare((x, y), tmp_path / "kept", scaling=scaling)
    # float64 holds the same numbers, and is stored as the float32 that the model takes
    same = "divide by 255" if scaling == "auto" and shape == (9, 8, 3) else scaling
    stored = prepare((x.astype(np.float64), y), tmp_path / "stored", scaling=same)
    assert [path.name for path in sorted(kept.folder.glob("*train*"))] == ["raw_train.npy", "y_train.npy"]
    assert [path.name for path in sorted(stored.folder.glob("*train*"))] == ["x_train.npy", "y_train.npy"]
    for split in ("train", "validation", "test"):
        assert kept.x(split).dtype == stored.x(split).dtype == np.float32
        np.testing.assert_array_equal(np.asarray(kept.x(split)), stored.x(split))
    assert (kept.info.minimum, kept.info.maximum) == (stored.info.minimum, stored.info.maximum)
    assert kept.info.scalings == stored.info.scalings | {
        "": scaling if scaling != "auto" else kept.info.scalings[""]
    }


def test_the_digest_tells_values_and_scalings_apart(tmp_path):
    x, y = pixels()
    other = x.copy()
    other[3, 0, 0, 0] ^= 1
    digests = [
        prepare((values, y), tmp_path / str(number), scaling=scaling).info.sha256
        for number, (values, scaling) in enumerate(
            [(x, "auto"), (x, "divide by 255"), (x, "none"), (other, "auto"), (x, "standardize")]
        )
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_a_row_array_is_indexed_as_an_array_is():
    x = np.random.default_rng(0).integers(0, 256, (20, 3, 4)).astype(np.uint8)
    offset, divisor = np.asarray(3.25), np.asarray(7.5)
    plain = ((x - offset) / divisor).astype(np.float32)
    rows = RowArray(lambda index: rescaled(x[index], offset, divisor), x.shape, np.float32)
    for index in (
        3, -1, np.int64(5), slice(2, 7), slice(None, None, 4), slice(18, 30), np.array([5, 1, 1]),
        np.arange(20) % 2 == 0, [0, 2], (slice(0, 2), 1), (4, 2, 1),
    ):  # fmt: skip
        np.testing.assert_array_equal(rows[index], plain[index])
    for view, expected in (
        (rows[..., None], plain[..., None]), (rows[..., 0], plain[..., 0]),
        (rows.reshape(20, 12), plain.reshape(20, 12)), (rows, plain),
    ):  # fmt: skip
        assert (view.shape, view.ndim, view.size, view.nbytes, len(view)) == (
            expected.shape, expected.ndim, expected.size, expected.nbytes, len(expected),
        )  # fmt: skip
        np.testing.assert_array_equal(np.asarray(view), expected)
    np.testing.assert_array_equal(2 * rows - 1, 2 * plain - 1)
    assert (rows.min(), rows.max()) == (plain.min(), plain.max())
    assert rows.mean() == pytest.approx(plain.mean(dtype=np.float64))
    assert [row.tolist() for row in rows] == plain.tolist()
    with pytest.raises(IndexError):
        rows[20]


def test_one_npz_of_all_that_is_kept_is_what_numpy_reads(tmp_path):
    x, y = pixels()
    dataset = prepare((x, y), tmp_path / "out")
    with np.load(dataset.save_npz(tmp_path / "all.npz"), allow_pickle=False) as arrays:
        assert sorted(arrays.files) == sorted(
            f"{a}_{s}" for a in "xy" for s in ("train", "validation", "test")
        )
        for split in ("train", "validation", "test"):
            np.testing.assert_array_equal(arrays[f"x_{split}"], np.asarray(dataset.x(split)))
            np.testing.assert_array_equal(arrays[f"y_{split}"], dataset.y(split))


def test_a_folder_of_an_earlier_version_opens(tmp_path):
    """They hold float32 only, whatever came."""
    dataset = prepare(pixels(), tmp_path / "out")
    expected = {split: np.asarray(dataset.x(split)) for split in ("train", "validation", "test")}
    (dataset.folder / "scaling.npy").unlink()
    for split, values in expected.items():
        (dataset.folder / f"raw_{split}.npy").unlink()
        np.save(dataset.folder / f"x_{split}.npy", values)
    for split, values in expected.items():
        np.testing.assert_array_equal(Dataset(dataset.folder).x(split), values)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_that_is_larger_than_the_memory_it_may_take(tmp_path, monkeypatch, save):
    x, y = labelled(600, shape=(40,))
    columns = np.asfortranarray(x[:, ::-1])
    path = tmp_path / "large.npz"
    save(path, **{"x.a": x, "x.b": columns, "y": y})
    plain = prepare(path, tmp_path / "plain")
    monkeypatch.setattr(npz_files, "LARGE_BYTES", 10_000)
    monkeypatch.setattr("workbench.data.prepare.default_limit_bytes", lambda: 50_000)
    mapped = prepare(path, tmp_path / "mapped")
    assert mapped.info == plain.info
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["large.npz", "mapped", "plain"]
    with pytest.raises(Refused, match="on the disk"):
        prepare(path, tmp_path / "out", limit_bytes=60_000)


def test_a_large_npz_with_a_wrong_checksum_and_one_of_zeros(tmp_path, monkeypatch):
    monkeypatch.setattr(npz_files, "LARGE_BYTES", 10_000)
    x, y = labelled(600, shape=(40,))
    np.savez(tmp_path / "damaged.npz", x=x, y=y)
    content = bytearray((tmp_path / "damaged.npz").read_bytes())
    content[50_000] ^= 1
    (tmp_path / "damaged.npz").write_bytes(content)
    with pytest.raises(InvalidInput, match="damaged or incomplete"):
        prepare(tmp_path / "damaged.npz", tmp_path / "out")
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros((600, 400), np.float32), y=y)
    monkeypatch.setattr("workbench.data.prepare.default_limit_bytes", lambda: 50_000)
    with pytest.raises(Refused, match="in memory"):
        prepare(tmp_path / "bomb.npz", tmp_path / "out")


@pytest.mark.parametrize("scaling", ["standardize", "range 0..1"])
@pytest.mark.parametrize("shape", [(7,), (4, 3)])
def test_statistics_of_many_samples_are_those_of_all_at_once(tmp_path, monkeypatch, scaling, shape):
    source = labelled(500, shape=shape)
    whole = prepare(source, tmp_path / "whole", scaling=scaling)
    monkeypatch.setattr(scaling_module, "LARGE_BYTES", 100)
    monkeypatch.setattr(scaling_module, "BLOCK_BYTES", 700)
    parts = prepare(source, tmp_path / "parts", scaling=scaling)
    np.testing.assert_allclose(parts.x("train"), whole.x("train"), rtol=1e-6, atol=1e-6)


def test_pictures_take_little_memory_however_many(tmp_path):
    """Of 2,000 pictures, 900 MB as float32, preparing and reading every batch keeps a fraction."""
    noise = np.random.default_rng(0)
    for number in range(2000):
        folder = tmp_path / "pictures" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        colours = noise.integers(0, 256, (7, 7, 3)).astype(np.uint8)
        Image.fromarray(colours).resize((192, 192)).save(folder / f"{number}.jpg")
    script = """
import sys
from pathlib import Path
import numpy as np
from workbench.data.prepare import prepare
from workbench.api.dataset import select
from PIL import Image  # not part of what is measured
def own(): return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) * 1024
def peak(): return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
before = peak()
data = prepare(Path(sys.argv[1]), sys.argv[2])
total = 0.0
order = np.random.default_rng(0).permutation(data.info.counts["train"])
for start in range(0, len(order), 32):
    total += float(select(data.x("train"), order[start:start + 32]).sum())
assert total > 0
print(peak() - before, data.x("train").nbytes)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "pictures", tmp_path / "out"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    grown, values = map(int, done.stdout.split())
    assert values > 550_000_000
    assert grown < 250_000_000
    data = Dataset(tmp_path / "out")
    assert is_large(data.x("train"))
    assert not is_large(data.x("test"))
    assert values > api.LARGE_BYTES
