"""The board of a room as one HTML file: who meets the demands; what was predicted, checked, decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from widgets.report.document import made_by
from widgets.report.markup import element, page
from widgets.report.room_picture import pictures
from widgets.wording import digits, percent, short, size, times
from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.course.board import CHALLENGE, Answer, Place, board
from workbench.course.class_settings import ClassSettings, Demands
from workbench.course.hand_in import HandIn, Predicted, Tried
from workbench.course.room import Room

_MARKS = {True: "✓", False: "✕", None: "?"}
_ANSWERS: dict[Answer, tuple[str, Text]] = {
    "met": ("good", say("met")),
    "not proven": ("unsure", say("not proven")),
    "missed": ("bad", say("missed")),
    "unknown": ("same", say("not measured")),
}


def room_html(room: Room, settings: ClassSettings) -> str:
    """The board, in the current language.

    Args:
        room: What was gathered.
        settings: Of the class: its title, and the demands of the challenge.
    """
    title = str(say("Board of {name}", name=settings.title) if settings.title else say("Board"))
    lessons = sorted(room.lessons, key=lambda lesson: lesson != CHALLENGE)
    return page(
        title,
        element("h1", title),
        element("p", _about(room), class_="about"),
        *(part for lesson in lessons for part in _lesson(room, lesson, settings.demands)),
        *_refused(room),
        element("footer", made_by()),
    )


def _about(room: Room) -> str:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    machines = len({(one.machine, one.cores) for one in room.handed if one.machine})
    return str(
        say(
            "{time} · learners: {learners}, kinds of machine: {machines}. Times of different machines are "
            "not compared: a speed-up is against the same learner's own baseline.",
            time=now,
            learners=len(room.learners),
            machines=machines,
        )
    )


def _lesson(room: Room, lesson: str, demands: Demands) -> Iterator[Element]:
    handed = [one for one in room.handed if one.lesson == lesson]
    yield element("h2", lesson or str(say("Without a lesson")))
    if any(not made.baseline for one in handed for made in one.variants):
        places = board(handed, lesson, demands)
        yield element("p", str(_demanded(demands, handed)), class_="conclusion")
        yield _ranking(places)
        yield from pictures(places, demands)
        yield from _decisions(places)
    yield from _predictions(handed)
    yield from _checks(handed)


def _demanded(demands: Demands, handed: Sequence[HandIn]) -> Text:
    measure = measure_of(handed[0].task)
    told = say(
        "Demanded: a file of at most {share} of the baseline's, and {measure} at most {points} {unit} worse.",
        share=percent(demands.size),
        measure=measure.title,
        points=f"{100 * demands.may_fall:g}",
        unit=measure.unit,
    )
    if demands.speedup is None:
        return told
    faster = say("At least {speedup} times as fast.", speedup=f"{demands.speedup:g}")
    return say("{problem} {action}", problem=told, action=faster)


def _ranking(places: Sequence[Place]) -> Element:
    heads = (
        say("Learner"),
        say("Variant"),
        say("Size"),
        say("Speed-up to the own baseline"),
        say("Change of {measure}", measure=measure_of(places[0].work.task).title),
        say("Demands"),
    )
    return element(
        "table",
        element("thead", element("tr", *(element("th", str(head), scope="col") for head in heads))),
        element("tbody", *map(_place, places)),
    )


def _place(place: Place) -> Element:
    made, work = place.variant, place.work
    learner = element("th", work.learner, element("div", _machine(work), class_="machine note"), scope="row")
    if made is None or place.met is None:
        said = say("none of them") if work.decision is not None else say("nothing yet")
        return element("tr", learner, element("td", str(said), colspan=5))
    speed = "–"
    if made.doubt:
        speed = str(say("in doubt"))  # a number here would be believed
    elif made.speedup is not None:
        speed = f"{times(made.speedup.value)} [{times(made.speedup.low)}, {times(made.speedup.high)}]"
    change = "–"
    if made.change is not None:
        measure = measure_of(work.task)
        change = "{} [{}, {}]".format(measure.change(made.change.value), *measure.change_ends(made.change))
    bytes_ = "–" if made.file_bytes is None else size(made.file_bytes)
    smaller = (
        "" if made.times_smaller is None else f", {say('{ratio}× smaller', ratio=digits(made.times_smaller))}"
    )
    return element(
        "tr",
        learner,
        element("td", short(made.name), element("div", " → ".join(made.steps), class_="note")),
        element("td", f"{bytes_}{smaller}"),
        element("td", speed, element("div", made.doubt, class_="note") if made.doubt else None),
        element("td", change),
        element("td", *_met(place)),
    )


def _machine(work: HandIn) -> str:
    if work.cores is None:
        return work.machine
    cores = say("{count} core", "{count} cores", count=work.cores)
    return f"{work.machine}, {cores}"


def _met(place: Place) -> Iterator[Element]:
    assert place.met is not None
    named = (
        (say("size"), place.met.size),
        (measure_of(place.work.task).title, place.met.quality),
        *([] if place.met.speed is None else [(say("speed"), place.met.speed)]),
    )
    if place.met.all:
        yield _chip("good", f"✓ {say('all met')}")
        return
    for name, answer in named:
        tone, word = _ANSWERS[answer]
        yield _chip(tone, f"{name}: {word}")


def _chip(tone: str, words: str) -> Element:
    return element("span", words, class_=f"chip {tone}")


def _decisions(places: Sequence[Place]) -> Iterator[Element]:
    decided = [place.work for place in places if place.work.decision is not None]
    if not decided:
        return
    yield element("h3", str(say("Decisions")))
    for work in decided:
        assert work.decision is not None
        chosen = short(work.decision.variant) if work.decision.variant else str(say("none of them"))
        yield element("p", element("strong", f"{work.learner}: {chosen}"))
        for paragraph in filter(str.strip, work.decision.text.splitlines()):
            yield element("p", paragraph)


def _predictions(handed: Sequence[HandIn]) -> Iterator[Element]:
    asked: dict[str, list[tuple[str, Predicted]]] = {}
    for work in handed:
        for one in work.predictions:
            asked.setdefault(one.key, []).append((work.learner, one))
    if not asked:
        return
    yield element("h3", str(say("Predicted, and what came out")))
    heads = (say("Question"), say("Right"), say("Who said what → what was measured there"))
    yield _table(
        heads,
        (
            (
                answers[0][1].question,
                f"{sum(one.right is True for _, one in answers)} / {len(answers)}",
                element("ul", *(element("li", _answer(name, one)) for name, one in answers)),
            )
            for answers in asked.values()
        ),
    )


def _answer(learner: str, one: Predicted) -> str:
    found = digits(one.measured) if isinstance(one.measured, float) else one.measured or "–"
    if one.doubted:
        found = str(say("in doubt"))
    return f"{_MARKS[one.right]} {learner}: {one.said} → {found}"


def _checks(handed: Sequence[HandIn]) -> Iterator[Element]:
    tried: dict[str, list[tuple[str, Tried]]] = {}
    for work in handed:
        for one in work.checks:
            tried.setdefault(one.key, []).append((work.learner, one))
    if not tried:
        return
    yield element("h3", str(say("Checks")))
    heads = (say("Check"), say("Passed"), say("Answers given"), say("Not yet"))
    yield _table(
        heads,
        (
            (
                key,
                f"{sum(one.passed for _, one in answers)} / {len(answers)}",
                str(sum(one.tries for _, one in answers)),
                ", ".join(name for name, one in answers if not one.passed) or "–",
            )
            for key, answers in tried.items()
        ),
    )


def _table(heads: Sequence[Text], rows: Iterable[tuple[str | Element, ...]]) -> Element:
    return element(
        "table",
        element("thead", element("tr", *(element("th", str(head), scope="col") for head in heads))),
        element("tbody", *(element("tr", *(element("td", cell) for cell in row)) for row in rows)),
    )


def _refused(room: Room) -> Iterator[Element]:
    if not room.refused:
        return
    yield element("h2", str(say("Not gathered")))
    yield element(
        "ul", *(element("li", element("strong", str(one.path)), f" {one.reason}") for one in room.refused)
    )
