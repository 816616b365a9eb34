"""The translations: complete, with the same holes, and what is collected from the source now."""

from __future__ import annotations

import ast
import io
import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from workbench.api import text
from workbench.api.technique import field_context
from workbench.api.text import LANGUAGES, Text, catalogue_path, say, say_as, verbatim
from workbench.locale import collect
from workbench.locale.collect import Message
from workbench.techniques import techniques

TRANSLATED = tuple(language for language in LANGUAGES if language != "en")
NAMES = {
    "{decibels} dB",
    "{change} {unit} [{low}, {high}]",
    "{change} {unit}",
    "%",
    "1:4",
    "2:4",
    "Adam",
    "AdamW",
    "CSV",
    "F1",
    "GPU",
    "Huber",
    "Lion",
    "LiteRT",
    "MAE",
    "MB",
    "Muon",
    "Neural Workbench",
    "ONNX Runtime",
    "OpenVINO",
    "R²",
    "RMSE",
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
    "mIoU",
    "ms",
    "uint8",
    "{names}",
    "{reason}",
    "{samples} · {classes}",
    "{stage} · {where}",
    "{steps}",
    "°",
    "{demands}",
    "{measure} {change} {unit}",
    "{measure} {verdict}",
    "≈ {range}",
    "≈ {time}",
}
"""What reads the same in every language: names, units, and sentences that are one hole."""


@pytest.fixture(scope="module")
def messages() -> frozenset[Message]:
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


def first(forms: str | tuple[str, ...]) -> str:
    """A text, or that for one of a pair."""
    return forms if isinstance(forms, str) else forms[0]


def test_holes_are_the_same(catalogue, messages):
    # Where there is a plural, its holes count: the text for one may say "one variant".
    plurals = {one.text: one.plural for one in messages if one.plural is not None}
    wrong = [
        (entry.id, entry.string)
        for entry in catalogue
        if entry.id and holes(plurals.get(first(entry.id), first(entry.id))) != holes(first(entry.string))
    ]
    assert not wrong


def test_nothing_is_left_in_english(catalogue):
    same = {first(entry.id) for entry in catalogue if entry.id and first(entry.id) == first(entry.string)}
    assert same <= NAMES


def test_chinese_has_chinese_punctuation():
    with catalogue_path("zh_CN").open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    # Half-width marks next to a Chinese character; code and names keep theirs.
    mixed = re.compile(r"[一-鿿][,;:!?()]|[,;:!?()][一-鿿]|[一-鿿]\.(?!\w)|  ")
    strings = [first(entry.string) for entry in catalogue if entry.id]
    assert not [string for string in strings if mixed.search(string)]


def test_texts_are_literals_or_known_to_come_from_data():
    dynamic = set()
    for package in collect.PACKAGES:
        for path in (collect.ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    said = node.args[: 2 if node.func.id == "say_as" else 1]
                    literal = bool(said) and all(isinstance(one, ast.Constant) for one in said)
                    if node.func.id == "Text" or (node.func.id in ("say", "say_as") and not literal):
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
    assert Message(message) in messages


def test_adjacent_literals_are_one_text(messages):
    text = "Encode the text as it was encoded for the training, or open a model whose first layer is "
    assert Message(f"{text}TextVectorization or StringLookup.") in messages


@pytest.mark.parametrize(
    ("technique", "field", "title"),
    [
        ("structure.sparsity", "removal", "去除方式"),
        ("structure.depth", "search", "测量方式"),
        ("training.retrain", "start", "起始权重"),
        ("structure.clustering", "layers", "要处理的层"),
    ],
)
def test_a_word_that_means_something_else_in_a_form_has_a_translation_of_its_own(technique, field, title):
    parameters = techniques()[technique].parameters_type
    english = parameters.model_fields[field].title
    there = Text(template=english, context=field_context(parameters, field))
    assert there.translated("zh_CN") == title
    assert there.translated("en") == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_choices_are_shown_as_code_and_recipes_write_them(language):
    """So that "spectrum: ..." in the help is found among the choices."""
    for technique in techniques().values():
        parameters = technique.parameters_type
        for name, field in parameters.model_fields.items():
            for choice in collect._choices(field.annotation):
                shown = Text(template=choice, context=field_context(parameters, name)).translated(language)
                assert re.fullmatch(re.escape(choice) + r"( \(.+\)|（.+）)?", shown)


def test_english_explains_choices_that_say_nothing_by_themselves():
    with catalogue_path("en").open("rb") as file:
        explained = [entry for entry in read_po(file, locale="en") if entry.id]
    assert {Message(entry.id, context=entry.context) for entry in explained} <= collect.in_fields()
    assert Text(template="l1", context="Channels.importance").translated("en") == "l1 (mean absolute weight)"
    assert Text(template="l1").translated("en") == "l1"


def test_a_context_of_the_source_has_an_entry_of_its_own(locale_folder, monkeypatch):
    source = ast.parse('say_as("verb", "Open"); say("Open"); say("{count} row", "{count} rows", count=n)')
    said = [message for node in ast.walk(source) if (message := collect._said(node)) is not None]
    assert sorted(said, key=str) == [
        Message("Open", None, "verb"),
        Message("Open"),
        Message("{count} row", "{count} rows"),
    ]
    monkeypatch.setattr(collect, "collect", lambda: frozenset(said))
    collect.main()
    path = catalogue_path("zh_CN")
    empty = path.read_text(encoding="utf-8")
    path.write_text(
        empty.replace('msgid "Open"\nmsgstr ""', 'msgid "Open"\nmsgstr "打开的"', 1)
        .replace('msgctxt "verb"\nmsgid "Open"\nmsgstr ""', 'msgctxt "verb"\nmsgid "Open"\nmsgstr "打开"')
        .replace('msgstr[0] ""', 'msgstr[0] "{count} 行"'),
        encoding="utf-8",
    )
    assert collect.updated("zh_CN") == path.read_bytes()
    assert say_as("verb", "Open").translated("zh_CN") == "打开"
    assert say_as("noun", "Open").translated("zh_CN") == "打开的"  # no entry for there: the common one
    assert say("Open").translated("zh_CN") == "打开的"
    rows = [say("{count} row", "{count} rows", count=count) for count in (0, 1, 2, "1", "1,024")]
    assert list(map(str, rows)) == ["0 rows", "1 row", "2 rows", "1 row", "1,024 rows"]
    assert [row.translated("zh_CN") for row in rows][3:] == ["1 行", "1,024 行"]


def test_what_the_program_said_once_is_still_translated(locale_folder):
    """Workbenches hold texts of the version that made them."""
    catalogue_path("zh_CN").write_text('#~ msgid "Old words"\n#~ msgstr "旧的说法"\n', encoding="utf-8")
    assert say("Old words").translated("zh_CN") == "旧的说法"


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
    ids = [first(entry.id) for entry in catalogue if entry.id]
    assert ids == sorted(ids)
    assert collect.updated("zh_CN") == written.encode()


def test_what_has_no_translation_is_listed_for_a_release(locale_folder, monkeypatch, capsys):
    monkeypatch.setattr(collect, "collect", lambda: frozenset(map(Message, ("Apply", "Cancel", "Delete"))))
    monkeypatch.setattr("sys.argv", ["collect", "--untranslated"])
    path = catalogue_path("zh_CN")
    guessed = '#, fuzzy\nmsgid "Cancel"\nmsgstr "取消"\n'
    path.write_text(f'msgid ""\nmsgstr ""\n\nmsgid "Apply"\nmsgstr "应用"\n\n{guessed}', encoding="utf-8")
    with pytest.raises(SystemExit) as some:
        collect.main()
    assert some.value.code
    assert capsys.readouterr().out.splitlines() == ["zh_CN: Cancel", "zh_CN: Delete"]
    everything = 'msgid "Cancel"\nmsgstr "取消"\n\nmsgid "Delete"\nmsgstr "删除"\n'
    path.write_text(f'msgid ""\nmsgstr ""\n\nmsgid "Apply"\nmsgstr "应用"\n\n{everything}', encoding="utf-8")
    with pytest.raises(SystemExit) as none:
        collect.main()
    assert not none.value.code
    assert capsys.readouterr().out == ""


def test_the_first_catalogue_of_a_language(locale_folder):
    catalogue = read_po(io.BytesIO(collect.updated("zh_CN")), locale="zh_CN")
    assert {(entry.context, first(entry.id)) for entry in catalogue if entry.id} == {
        (message.context, message.text) for message in collect.collect()
    }
