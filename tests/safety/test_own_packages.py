"""Files that name classes of installed packages: what is refused whatever the user trusts; and no network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.safety.hostile import changed, reconfigured
from workbench.api.errors import InvalidInput, Refused
from workbench.models.intake.own_packages import checked_packages

TRUSTED = {"packages": ("keras_hub",)}

pytest.importorskip("keras_hub", reason="The extra hub is not installed.")


def own(name: str, module: str = "keras_hub.src.models", **config: Any) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": name.rpartition(">")[2],
        "config": {"name": "sneaky", **config},
        "registered_name": name,
    }


def with_layer(layer: dict[str, Any]) -> Any:
    def edit(config: dict[str, Any]) -> None:
        config["config"]["layers"].append(layer)

    return edit


BACKBONE = "keras_hub>BertBackbone"
TOKENIZER = own("keras_hub>BertTokenizer", vocabulary="/etc/passwd")
PREPROCESSOR = own("keras_hub>BertTextClassifierPreprocessor", tokenizer=TOKENIZER)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (TOKENIZER, "carries what reads files of its own: keras_hub>BertTokenizer"),
        (PREPROCESSOR, "keras_hub>BertTextClassifierPreprocessor"),
        (
            own("keras_hub>BertBackbone", preset="bert_tiny_en_uncased"),
            "names files or presets outside: bert_",
        ),
        (
            own("keras_hub>BertBackbone", source="hf://some/one"),
            "names files or presets outside: hf://some/one",
        ),
        (own("keras_hub>BertBackbone", weights="/tmp/w.h5"), "names files or presets outside: /tmp/w.h5"),
        (own("Popen", "subprocess"), "that is in none of the packages keras_hub"),
        (own("system", "os"), "that is in none of the packages keras_hub"),
        (own("loads", "keras_hub.pickle"), "that is in none of the packages keras_hub"),
    ],
)
def test_what_reads_files_or_is_elsewhere_is_refused(
    layer: dict[str, Any], words: str, said: Any, good: Path, tmp_path: Path
) -> None:
    path = reconfigured(good / "good.keras", tmp_path / "bad.keras", with_layer(layer))
    heard = said(path, **TRUSTED)
    assert heard.startswith("Refused: ")
    assert words in heard


def test_a_class_of_an_unnamed_package_is_refused(said: Any, good: Path, tmp_path: Path) -> None:
    layer = own(BACKBONE)
    path = reconfigured(good / "good.keras", tmp_path / "hub.keras", with_layer(layer))
    heard = said(path)
    assert (
        "needs classes or functions of your own, which cannot be imported here: keras_hub>BertBackbone"
        in heard
    )
    assert "--trust-packages keras_hub, or trust_packages=['keras_hub']." in heard
    assert "that is in none of the packages json" in said(path, packages=("json",))


def test_a_pickled_class_is_never_taken_from_where_a_file_lies(said: Any, good: Path, tmp_path: Path) -> None:
    path = reconfigured(good / "good.keras", tmp_path / "bad.keras", with_layer(own("Sneaky", "__main__")))
    (tmp_path / "own_classes.pkl").write_bytes(b"\x80\x04cos\nsystem\n(S'false'\ntR.")
    assert "cannot be imported here: Sneaky" in said(path)
    pickled = changed(good / "good.keras", tmp_path / "pickled.keras", config=b"\x80\x04cos\nsystem\n.")
    assert "no valid JSON" in said(pickled)


def test_on_a_shared_page_neither_code_nor_packages(said: Any, good: Path, tmp_path: Path) -> None:
    code = tmp_path / "layers.py"
    code.write_text("raise SystemExit('it ran')")
    assert "no code can be given with a model" in said(good / "good.keras", code=code, shared=True)
    assert "no package can be trusted" in said(good / "good.keras", **TRUSTED, shared=True)
    with pytest.raises(Refused, match="no package can be trusted"):
        checked_packages(["keras_hub"], shared=True)
    with pytest.raises(InvalidInput, match="There is no package os; import x"):
        checked_packages(["os; import x"], shared=False)


PROGRAM = """
import json, sys
asked = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        asked.append(str(arguments[-1]))
        raise OSError("no network here")
sys.addaudithook(watch)
from pathlib import Path
from tests.kinds import hub
from tests.safety.hostile import Quiet
from workbench.models.intake.intake import open_model
folder = Path(sys.argv[1])
brought = hub.text_classifier_file(folder)
opened = open_model(Quiet(), brought.model, folder / "store", packages=("keras_hub",))
spec = {one.name: one.dtype for one in opened.description.inputs}
kinds = [layer.kind for layer in opened.description.layers]
closed = opened.description.opened_up.closed
print(json.dumps({"asked": asked, "inputs": spec, "kinds": kinds, "closed": closed}))
"""


@pytest.mark.slow
def test_a_keras_hub_model_opens_as_layers_and_asks_nobody(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.strip().rpartition("\n")[2])
    assert found["asked"] == []
    assert found["inputs"] == {"token_ids": "int32", "segment_ids": "int32", "padding_mask": "int32"}
    assert found["closed"] == []
    assert found["kinds"].count("MultiHeadAttention") == 2
    assert set(found["kinds"][:3]) == {"Embedding"}
