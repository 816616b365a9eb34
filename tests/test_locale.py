"""The translations: complete, with the same holes, and what is collected from the source now."""

from __future__ import annotations

import ast
import io
import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from workbench import text
from workbench.locale import collect
from workbench.text import LANGUAGES, Text, catalogue_path, say, verbatim

TRANSLATED = tuple(language for language in LANGUAGES if language != "en")
NAMES = {
    "%",
    "1:4",
    "2:4",
    "Adam",
    "AdamW",
    "F1",
    "GPU",
    "Lion",
    "LiteRT",
    "MB",
    "Muon",
    "Neural Workbench",
    "ONNX Runtime",
    "OpenVINO",
    "SGD",
    "TensorRT",
    "bfloat16",
    "float16",
    "float32",
    "gzip",
    "int16",
    "int8",
    "int4",
    "kB",
    "ms",
    "uint8",
    "{reason}",
    "°",
    "≈ {time}",
}
"""What reads the same in every language: names, units, and sentences that are one hole."""


@pytest.fixture(scope="module")
def messages() -> frozenset[str]:
    return collect.collect()


@pytest.fixture(scope="module", params=TRANSLATED)
def catalogue(request):
    with catalogue_path(request.param).open("rb") as file:
        return read_po(file, locale=request.param)


@pytest.fixture
def locale_folder(tmp_path, monkeypatch):
    """A folder of catalogues in place of the package's own."""
    monkeypatch.setattr(text, "_LOCALE", tmp_path)
    text._catalogue.cache_clear()
    catalogue_path("zh_CN").parent.mkdir(parents=True)
    yield tmp_path
    text._catalogue.cache_clear()


def holes(template: str) -> Counter[str]:
    return Counter(re.findall(r"\{[^{}]*\}", template.replace("{{", "").replace("}}", "")))


def test_every_text_is_translated(catalogue, messages):
    entries = {entry.id: entry for entry in catalogue if entry.id}
    missing = sorted(message for message in messages if message not in entries)
    assert not missing, "run `make messages` and translate"
    assert not [entry.id for entry in entries.values() if not entry.string]
    assert not [entry.id for entry in entries.values() if entry.fuzzy]


def test_holes_are_the_same(catalogue):
    wrong = [
        (entry.id, entry.string)
        for entry in catalogue
        if entry.id and entry.string and holes(entry.id) != holes(entry.string)
    ]
    assert not wrong


def test_nothing_is_left_in_english(catalogue):
    assert {entry.id for entry in catalogue if entry.id and entry.id == entry.string} <= NAMES


def test_chinese_has_chinese_punctuation():
    with catalogue_path("zh_CN").open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    # Half-width marks next to a Chinese character; code and names keep theirs.
    mixed = re.compile(r"[一-鿿][,;:!?()]|[,;:!?()][一-鿿]|[一-鿿]\.(?!\w)|  ")
    assert not [entry.string for entry in catalogue if entry.id and mixed.search(entry.string)]


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogue_is_up_to_date(language):
    assert catalogue_path(language).read_bytes() == collect.updated(language), "run `make messages`"


def test_texts_are_literals_or_known_to_come_from_data():
    dynamic = set()
    for package in collect.PACKAGES:
        for path in (collect.ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    literal = bool(node.args) and isinstance(node.args[0], ast.Constant)
                    if node.func.id == "Text" or (node.func.id == "say" and not literal):
                        dynamic.add(path.relative_to(collect.ROOT).as_posix())
    assert dynamic == collect.SAID_FROM_DATA


def test_pages_have_no_words_of_their_own():
    sentence = re.compile(r"""["'`>]([A-Z][a-z]+(?: [a-z]+)+[.!?…]?)["'`<]""")
    found = {
        f"{path.name}: {match[1]}"
        for path in (collect.ROOT / "widgets" / "static").glob("*.js")
        for match in sentence.finditer(path.read_text(encoding="utf-8"))
    }
    assert not found, "labels come from Python, where they are translated"


@pytest.mark.parametrize(
    "message",
    [
        "Apply",  # a label in a dict
        "Full int8",  # a technique's title
        "Calibration samples",  # a parameter's title, inherited
        "samples",  # its unit
        "entropy",  # a choice
        "divide by 255",  # a scaling
        "no measurable change",  # a verdict
        "validation F1",  # a live curve
        "training accuracy",  # one whose name is made from two words
        "interrupted",  # a job's status
        "Keras, eager",  # a runtime's title
        "Give one name for each class, in the order of the labels.",
    ],
)
def test_collected(messages, message):
    assert message in messages


def test_adjacent_literals_are_one_text(messages):
    text = "Encode the text as it was encoded for the training, or open a model whose first layer is "
    assert f"{text}TextVectorization or StringLookup." in messages


def test_texts_without_the_page_speak_chinese():
    sentence = say("{problem} {action}", problem=say("Stopped."), action=verbatim("no such op: Foo"))
    assert sentence.translated("zh_CN") == "已停止。no such op: Foo"
    assert sentence.translated("en") == "Stopped. no such op: Foo"


def test_a_stored_text_can_change_its_language():
    stored = say("Measuring size and quality of {name}", name="int8").model_dump_json()
    assert Text.model_validate_json(stored).translated("zh_CN") == "正在测量 int8 的大小和质量"


def test_what_has_no_translation_stays_english():
    assert say("Nobody says {this}.", this="so").translated("zh_CN") == "Nobody says so."


@pytest.mark.parametrize("translation", ["{wrong}", "{name", "{name:q}", "{0}", "{name.missing}"])
def test_a_wrong_translation_is_not_shown(locale_folder, translation):
    catalogue_path("zh_CN").write_text(
        f'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        f'msgid "There is no {{name}}."\nmsgstr "{translation}"\n',
        encoding="utf-8",
    )
    assert say("There is no {name}.", name="x").translated("zh_CN") == "There is no x."


def test_a_guess_is_not_shown(locale_folder):
    catalogue_path("zh_CN").write_text('#, fuzzy\nmsgid "Apply"\nmsgstr "开"\n', encoding="utf-8")
    assert say("Apply").translated("zh_CN") == "Apply"


def test_a_text_that_cannot_be_filled_is_shown_with_its_holes():
    assert Text(template="{size:.1f} MB", values={"size": None}).translated("en") == "{size:.1f} MB"


def test_collecting_keeps_what_translators_wrote(locale_folder):
    path = catalogue_path("zh_CN")
    path.write_text(
        "# 说明\n"
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Apply"\nmsgstr "应用"\n\n'
        '#, fuzzy\nmsgid "Cancel"\nmsgstr "取消"\n\n'
        'msgid "A text that is gone"\nmsgstr "已不存在"\n\n'
        'msgid "Gone and never translated"\nmsgstr ""\n\n'
        '#~ msgid "Delete"\n#~ msgstr "删除"\n',
        encoding="utf-8",
    )
    collect.main()
    written = path.read_text(encoding="utf-8")
    catalogue = read_po(io.BytesIO(written.encode()), locale="zh_CN")
    assert written.startswith('# 说明\nmsgid ""\n')
    assert catalogue.get("Apply").string == "应用"
    assert catalogue.get("Cancel").fuzzy
    assert catalogue.get("Delete").string == "删除"  # what comes back has its translation back
    assert [entry.id for entry in catalogue.obsolete.values()] == ["A text that is gone"]
    assert "Gone and never translated" not in written
    assert str(Path.cwd()) not in written
    ids = [entry.id for entry in catalogue if entry.id]
    assert ids == sorted(ids)
    assert collect.updated("zh_CN") == written.encode()


def test_the_first_catalogue_of_a_language(locale_folder):
    catalogue = read_po(io.BytesIO(collect.updated("zh_CN")), locale="zh_CN")
    assert {entry.id for entry in catalogue if entry.id} == collect.collect()
