"""Builds hostile model files from good ones. Nothing here imports TensorFlow."""

import json
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np

WEIGHTS = "model.weights.h5"


class Quiet:
    """A reporter that nobody reads."""

    def __init__(self):
        self.stages = []

    def stage(self, text):
        self.stages.append(str(text))

    def progress(self, fraction):
        pass

    def metric(self, name, step, value, interval=None):
        pass

    def log(self, text):
        pass

    def check(self):
        pass


def members(archive):
    with zipfile.ZipFile(archive) as file:
        return {name: file.read(name) for name in file.namelist()}


def archive(target, contents, compress=False):
    """A zip of members in their order."""
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", kind) as file:
        for name, content in contents.items():
            file.writestr(name, content)
    return target


def changed(good, target, compress=False, **contents):
    """A good archive with members replaced (None removes one); ``config`` stands for config.json."""
    names = {"config": "config.json", "metadata": "metadata.json", "weights": WEIGHTS}
    inside = members(good)
    for key, content in contents.items():
        inside.pop(names[key], None)
        if content is not None:
            inside[names[key]] = content
    return archive(target, inside, compress)


def reconfigured(good, target, edit):
    """A good archive whose configuration was edited in place."""
    config = json.loads(members(good)["config.json"])
    edit(config)
    return changed(good, target, config=json.dumps(config).encode())


def with_member(good, target, name, mode=0o100644, extra=b""):
    """A good archive with one more member, whose name is written exactly as given."""
    Path(target).write_bytes(Path(good).read_bytes())
    with zipfile.ZipFile(target, "a") as file:
        member = zipfile.ZipInfo("x" * len(name))
        member.filename = member.orig_filename = name
        member.external_attr = mode << 16
        member.extra = extra
        file.writestr(member, b"../../target")
    return target


def hard_link_field(target=b"config.json"):
    """PKWARE's UNIX extra field, whose variable part names the target of a hard link."""
    data = struct.pack("<IIHH", 0, 0, 0, 0) + target
    return struct.pack("<HH", 0x000D, len(data)) + data


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {
        "name": "sneaky",
        "function": {
            "class_name": "__lambda__",
            "config": {"code": "4wEAAAA=", "defaults": None, "closure": None},
        },
    },
    "registered_name": None,
}


def bomb(side):
    """An HDF5 file of a few kB that declares side x side float32 numbers and stores none."""
    path = Path(WEIGHTS)
    with h5py.File(path.name, "w", driver="core", backing_store=False) as file:
        file.create_dataset("layers/dense/vars/0", (side, side), "f4")
        file.create_dataset("layers/dense/vars/1", (side,), "f4")
        file.flush()
        return file.id.get_file_image()


def hdf5(build, path):
    """An HDF5 file that ``build`` fills."""
    with h5py.File(path, "w") as file:
        build(file)
    return path


def mutants(content, count, seed):
    """Copies of ``content`` with one to eight bytes changed."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        mutant = bytearray(content)
        for _ in range(int(rng.integers(1, 9))):
            mutant[int(rng.integers(len(mutant)))] = int(rng.integers(256))
        yield bytes(mutant)


def leftovers(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))
