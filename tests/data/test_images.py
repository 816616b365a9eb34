import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.data.sources import described
from workbench.api.errors import InvalidInput, Refused
from workbench.data.image_folder import read_images
from workbench.data.pictures import picture
from workbench.data.prepare import prepare

LIMIT = 2**24


def paint(path, size=(10, 8), value=0, mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 255)[: len(mode)]).save(path)
    return path


def two_classes(folder, count=60, **options):
    for number in range(count):
        paint(folder / "cat" / f"{number}.png", value=number, **options)
        paint(folder / "dog" / f"{number}.png", value=number + 100, **options)
    return folder


def read(folder, limit_bytes=LIMIT):
    return read_images(folder, limit_bytes=limit_bytes)


def notes(raw):
    return [str(note) for note in raw.notes]


def test_a_folder_for_each_class(tmp_path):
    dataset = prepare(two_classes(tmp_path / "animals"), tmp_path / "out")
    assert dataset.info.name == "animals"
    assert dataset.info.classes == ("cat", "dog")
    assert dataset.info.input_shapes == {"": (8, 10, 3)}
    assert dataset.info.is_image
    assert str(dataset.info.scaling) == "values / 255"
    assert dataset.info.counts == {"train": 84, "validation": 12, "test": 24}
    assert "Labels were numbered: cat = 0, dog = 1." in [str(note) for note in dataset.info.notes]
    # The first colour says which picture it was, and so which class.
    red = np.rint(dataset.x("test")[:, 0, 0, 0] * 255)
    np.testing.assert_array_equal(red >= 100, dataset.y("test"))


@pytest.mark.parametrize("validation", [None, "val", "validation"])
def test_train_and_test_folders(tmp_path, validation):
    folder = tmp_path / "animals"
    two_classes(folder / "train", 60)
    two_classes(folder / "test", 10)
    if validation:
        two_classes(folder / validation, 20)
    info = prepare(folder, tmp_path / "out").info
    expected = {"train": 120, "validation": 40} if validation else {"train": 108, "validation": 12}
    assert info.counts == {**expected, "test": 20}


def test_folders_inside_of_the_classes(tmp_path):
    folder = tmp_path / "animals"
    for day in ("monday", "tuesday"):
        for name, value in (("cat", 0), ("dog", 100)):
            for number in range(40):
                paint(folder / name / day / f"{number}.png", value=value + number)
    # the days may be the classes: nothing tells
    with pytest.raises(InvalidInput, match="holds no folders of pictures"):
        read(folder)
    raw = read_images(folder, limit_bytes=LIMIT, model=described((8, 10, 3), outputs={"p": 2}))
    assert (raw.classes, len(raw.splits["train"].y)) == (("cat", "dog"), 160)
    paint(folder / "cat" / "first.png")
    assert (read(folder).classes, len(read(folder).splits["train"].y)) == (("cat", "dog"), 161)


@pytest.mark.parametrize(("train", "test"), [("Train", "Test"), ("Training", "Testing")])
def test_folders_as_archives_have_them(tmp_path, train, test):
    two_classes(tmp_path / "archive" / "animals" / train, 60)
    two_classes(tmp_path / "archive" / "animals" / test, 10)
    (tmp_path / "archive" / "__MACOSX").mkdir()
    raw = read(tmp_path / "archive")
    assert {split: len(samples.y) for split, samples in raw.splits.items()} == {"train": 120, "test": 20}
    assert raw.classes == ("cat", "dog")


def test_grey_pictures_have_one_channel(tmp_path):
    assert read(two_classes(tmp_path / "grey", 5, mode="L")).splits["train"].x[""].shape == (10, 8, 10, 1)
    paint(tmp_path / "grey" / "dog" / "colour.png")
    assert read(tmp_path / "grey").splits["train"].x[""].shape == (11, 8, 10, 3)


def test_other_sizes_are_resized_and_it_is_said(tmp_path):
    folder = two_classes(tmp_path / "sizes", 5)
    paint(folder / "cat" / "large.jpg", size=(40, 40))
    raw = read(folder)
    assert raw.splits["train"].x[""].shape == (11, 8, 10, 3)
    assert notes(raw)[0] == "1 of 11 pictures were resized to the most common size, 10x8."


def test_what_is_left_out_is_counted(tmp_path):
    folder = two_classes(tmp_path / "mixed", 20)
    (folder / "cat" / "notes.txt").write_text("hello")
    (folder / "cat" / ".DS_Store").write_bytes(b"")
    (folder / "cat" / "broken.png").write_bytes(b"no picture")
    outside = paint(tmp_path / "outside.png")
    (folder / "cat" / "link.png").symlink_to(outside)
    (folder / "zebra").symlink_to(folder / "cat")
    os.mkfifo(folder / "dog" / "pipe.png")
    (folder / "dog" / "folder.png").mkdir()
    raw = read(folder)
    assert raw.classes == ("cat", "dog")
    assert len(raw.splits["train"].y) == 40
    assert notes(raw) == [
        "1 picture could not be read and was left out.",
        "2 symbolic links were left out.",
        "2 files that are not pictures were left out.",
    ]


def test_no_pictures(tmp_path):
    (tmp_path / "empty" / "cat").mkdir(parents=True)
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path / "empty")
    assert str(caught.value) == (
        "empty holds no folders of pictures. Put the pictures (.bmp, .gif, .jpeg, .jpg, .png, .webp) "
        "of each class into a folder named after it."
    )


def test_many_broken_pictures(tmp_path):
    folder = two_classes(tmp_path / "f", 2)
    (folder / "cat" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InvalidInput) as caught:
        read(folder)
    assert str(caught.value) == ("1 of 4 pictures cannot be read, such as cat/1.png. Remove or replace them.")


def test_a_truncated_picture(tmp_path):
    folder = two_classes(tmp_path / "f", 2)
    noise = np.random.default_rng(0).integers(0, 256, (8, 10, 3)).astype(np.uint8)
    path = folder / "dog" / "1.png"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InvalidInput) as caught:
        np.asarray(read(folder).splits["train"].x[""])
    assert str(caught.value) == "The picture 1.png is damaged or incomplete. Remove or replace it."


def png_that_declares(width, height):
    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (30_000, 10_000)])
def test_a_picture_that_declares_gigabytes(tmp_path, width, height):
    folder = two_classes(tmp_path / "f", 20)
    (folder / "cat" / "bomb.png").write_bytes(png_that_declares(width, height))
    if width * height > 2 * Image.MAX_IMAGE_PIXELS:  # Pillow itself does not open it
        assert notes(read(folder))[0] == "1 picture could not be read and was left out."
        return
    with pytest.raises(Refused) as caught:
        read(folder)
    assert str(caught.value) == (
        f"The picture bomb.png has {width}x{height} pixels; the limit is 67,108,864 in all. Make it smaller."
    )


def test_more_pictures_than_the_limit(tmp_path):
    with pytest.raises(Refused, match=r"f would take 0\.0 MB in memory; the limit is 0\.0 MB\."):
        read(two_classes(tmp_path / "f", 60), limit_bytes=5_000)


def test_sixteen_bit_pictures(tmp_path):
    folder = two_classes(tmp_path / "f", 2)
    Image.fromarray(np.zeros((8, 10), np.uint16)).save(folder / "cat" / "deep.png")
    with pytest.raises(InvalidInput) as caught:
        read(folder)
    assert str(caught.value) == (
        "The picture deep.png has more than 8 bits for each value. "
        "Save pictures with 8 bits, or give the values as an .npz file."
    )


def test_class_folders_with_hostile_names(tmp_path):
    folder = tmp_path / "f"
    names = ["<script>alert(1)<", "%{x}", "a\u202eb", "{hole}", "a\nb"]
    for name in names:
        paint(folder / name / "1.png")
    (folder / os.fsdecode(b"\xff\xfe")).mkdir()
    paint(folder / os.fsdecode(b"\xff\xfe") / "1.png")
    raw = read(folder)
    assert len(raw.classes) == 6
    assert sorted(raw.splits["train"].y) == [0, 1, 2, 3, 4, 5]
    for note in notes(raw):
        note.encode()  # no surrogate of an undecodable name is left


def noise(folder, sizes, mode="RGB"):
    generator = np.random.default_rng(0)
    for number in range(24):
        width, height = sizes[number % len(sizes)]
        values = generator.integers(0, 256, (height, width, 3) if mode == "RGB" else (height, width))
        path = folder / f"class {number % 2}" / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values.astype(np.uint8), mode=None).save(path)
    return folder


@pytest.mark.parametrize("size", [(30, 40), (7, 5), (20, 33)])
def test_pictures_get_the_models_size_as_keras_resizes_them(tmp_path, size):
    import keras

    folder = noise(tmp_path / "f", [(33, 20), (50, 41), (9, 12)])
    raw = read_images(folder, limit_bytes=LIMIT, model=described((*size, 3)))
    keras_data = keras.utils.image_dataset_from_directory(
        folder, image_size=size, shuffle=False, batch_size=None, verbose=False
    )
    expected = np.stack([x for x, _ in keras_data.as_numpy_iterator()])
    np.testing.assert_allclose(raw.splits["train"].x[""], expected, atol=1e-3)
    said = f"{16 if size == (20, 33) else 24} of 24 pictures were resized to the size that the model takes, "
    assert notes(raw)[0] == said + f"{size[1]}x{size[0]}."


@pytest.mark.parametrize(
    ("mode", "shape", "said"),
    [
        ("RGB", (8, 6, 1), "Pictures in colour became grey, as the model takes one channel."),
        ("L", (8, 6, 3), "Grey pictures got 3 channels, as the model takes."),
        ("RGB", (3, 8, 6), "The channels became the first axis, as the model takes them."),
        ("RGB", (8, 6), "Pictures in colour became grey, as the model takes one channel."),
    ],
)
def test_pictures_get_the_models_channels(tmp_path, mode, shape, said):
    folder = noise(tmp_path / "f", [(6, 8)], mode)
    dataset = prepare(
        folder, tmp_path / "out", model=described(shape), test_fraction=0.3, validation_fraction=0.2
    )
    assert dataset.info.input_shapes == {"": shape}
    assert dataset.info.is_image
    assert str(dataset.info.scaling) == "values / 255"
    assert said in [str(note) for note in dataset.info.notes]
    assert Image.open(io.BytesIO(picture(dataset, 0))).size == (6, 8)


def test_resized_pictures_are_rounded_where_memory_is_short(tmp_path):
    folder = noise(tmp_path / "f", [(33, 20)])
    exact, rounded = (
        read_images(folder, limit_bytes=limit, model=described((10, 10, 3))) for limit in (LIMIT, 10_000)
    )
    assert (exact.splits["train"].x[""].dtype, rounded.splits["train"].x[""].dtype) == (np.float32, np.uint8)
    np.testing.assert_allclose(exact.splits["train"].x[""], rounded.splits["train"].x[""], atol=0.501)
    assert "The resized pictures were rounded to 8 bits to take less space." in notes(rounded)


def test_a_model_of_whole_numbers_gets_whole_pixels(tmp_path):
    model = described((10, 10, 3))
    whole = model.inputs[0].model_copy(update={"dtype": "uint8", "role": "raw numbers"})
    dataset = prepare(
        noise(tmp_path / "f", [(33, 20)]),
        tmp_path / "out",
        model=model.model_copy(update={"inputs": (whole,)}),
        test_fraction=0.3,
        validation_fraction=0.2,
    )
    assert dataset.x("test").dtype == np.uint8
    said = [str(note) for note in dataset.info.notes]
    assert "The resized pictures were rounded, as the model takes whole numbers." in said
