import pytest

from tests import small_models
from tests.techniques.applying import apply


@pytest.fixture(scope="session")
def parents(tmp_path_factory):
    """Trained small models as variants, with their data; each is made once, when asked for."""
    made = {}
    folder = tmp_path_factory.mktemp("parents")

    def parent(kind):
        if kind not in made:
            model = small_models.train(small_models.build(kind), kind)
            dataset = small_models.write_dataset(kind, folder / f"{kind}-data")
            dataset.save_npz(folder / f"{kind}.npz")
            made[kind] = small_models.baseline(model, folder / f"{kind}.keras"), dataset
        return made[kind]

    return parent


@pytest.fixture(scope="session")
def made(parents, tmp_path_factory):
    """What a technique makes of a small model; each is made once. Only for reading."""
    known = {}

    def of(name, kind, **parameters):
        key = name, kind, *sorted(parameters.items())
        if key not in known:
            known[key] = apply(name, *parents(kind), tmp_path_factory.mktemp("made") / "folder", **parameters)
        return known[key]

    return of
