"""The state of a page as the query of its address: to be copied, sent, and come back to.

What comes in is anybody's: names are looked up, numbers are judged as those of a form are, and only the
demo models with their own data open by themselves. No path is ever read from a link, and nothing is applied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from pydantic import Field

from widgets.panel_choice import NAMED
from widgets.panels.form import defaults, values_of
from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.records import Record
from workbench.api.technique import FAMILIES
from workbench.api.text import Text, say
from workbench.course.class_settings import parse_settings
from workbench.course.names import clean_name
from workbench.engine.workbench_folders import WorkbenchFolder
from workbench.models.demo.demo import DEMO_MODELS

if TYPE_CHECKING:
    from widgets.session import Session

_LONGEST = 4000
_LARGEST_SEED = 2**31
_OWN = frozenset(
    {
        "open",
        "technique",
        "show",
        "hide",
        "fix",
        "projector",
        "learner",
        "selected",
        "compared",
        "from",
        "seed",
        "lang",
        "theme",
        "token",
    }
)
"""Names that mean something else than a parameter; language, theme and token are the browser's to follow."""
_PARAMETER = "parameter."
"""Stands before the name of a parameter that is called like one of them."""


class Link(Record):
    """What a link says, as far as it makes sense by itself.

    Attributes:
        model: Name of a demo model.
        data: Name of the data that it was trained on.
        seed: Seed of the workbench.
        technique: Name of the technique that is unfolded.
        parameters: What its form says.
        show: Names of the panels that are shown; None for all.
        hide: Names of the panels that are hidden and cannot be brought back by a click.
        fix: By technique: parameters that its form does not change, and their values.
        projector: Whether type is large and one panel is shown at a time.
        learner: Whose page it is, as it is to stand on the board of a class.
        selected: Name of the selected variant.
        compared: Name of the one that it is compared with.
        start: Name of the one that techniques start from.
    """

    model: str | None = None
    data: str | None = None
    seed: int | None = None
    technique: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    show: frozenset[str] | None = None
    hide: frozenset[str] = frozenset()
    fix: dict[str, dict[str, Any]] = Field(default_factory=dict)
    projector: bool = False
    learner: str | None = None
    selected: str | None = None
    compared: str | None = None
    start: str | None = None

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return self == Link()


def read(query: object) -> Link:
    """What a link says.

    Args:
        query: The query of the page's address, such as ``?open=dense-digits,digits&seed=1``.

    Raises:
        InvalidInput: For a model, data or a seed that no link may name, or a parameter that cannot be fixed.
    """
    if not isinstance(query, str) or len(query) > _LONGEST:
        return Link()
    said = dict(parse_qsl(query.removeprefix("?"), max_num_fields=100))
    model, data = _opened(said.get("open"))
    return Link(
        model=model,
        data=data,
        seed=_seed(said.get("seed")),
        technique=said.get("technique"),
        parameters={
            name.removeprefix(_PARAMETER): _value(text) for name, text in said.items() if name not in _OWN
        }
        if "technique" in said
        else {},
        show=frozenset(said["show"].split(",")) if "show" in said else None,
        hide=frozenset(said.get("hide", "").split(",")) & frozenset((*FAMILIES, *NAMED)),
        fix=_fixed(said.get("fix")),
        projector=said.get("projector") == "1",
        learner=clean_name(said["learner"]) if said.get("learner") else None,
        selected=said.get("selected"),
        compared=said.get("compared"),
        start=said.get("from"),
    )


def _opened(said: str | None) -> tuple[str | None, str | None]:
    if said is None:
        return None, None
    model, _, data = said.partition(",")
    known = DEMO_MODELS.get(model)
    if known is None or data not in ("", known.dataset):
        raise InvalidInput(
            say("A link cannot open {what}.", what=repr(said)[:80]),
            say(
                "It can open: {names}.",
                names=tuple(f"{one.name},{one.dataset}" for one in DEMO_MODELS.values()),
            ),
        )
    return model, known.dataset


def _seed(said: str | None) -> int | None:
    if said is None:
        return None
    if not said.isascii() or not said.isdigit() or int(said[:12]) >= _LARGEST_SEED:
        raise InvalidInput(say("A seed is a whole number. Received: {text}.", text=repr(said)[:40]))
    return int(said)


def _fixed(said: str | None) -> dict[str, dict[str, Any]]:
    """``technique.parameter:value``, several with commas between them."""
    found: dict[str, dict[str, Any]] = {}
    for one in filter(None, (said or "").split(",")):
        name, _, value = one.partition(":")
        technique, _, parameter = name.rpartition(".")
        found.setdefault(technique, {})[parameter] = _value(value)
    return parse_settings({"fixed": found}).fixed


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    # Forms know no more than this.
    return value if value is None or isinstance(value, str | int | float | bool) else text


def follow(session: Session, link: Link) -> None:
    """Brings a page to the state that a link names.

    Args:
        session: Of the page.
        link: What :func:`read` made of it.

    Raises:
        InvalidInput: For what is not here, after all that is here has been followed.
    """
    if link.learner is not None:
        session.call(link.learner)
    if link.model is not None and link.data is not None and not _shows(session, link):
        beside = next((one for one in session.workbench_folders if _is(one, link)), None)
        if beside is not None:
            session.return_to(beside.folder)
        else:
            session.open(link.model, link.data, seed=link.seed)
    problems: list[Text] = []
    if link.hide or link.fix or link.projector:
        session.confine(
            session.hidden | link.hide,
            {**session.fixed, **link.fix},
            projector=session.projector or link.projector,
        )
    session.show_panels(link.show)
    for name, go in (
        (link.start, session.continue_from),
        (link.selected, session.select),
        (link.compared, session.compare),
    ):
        if name is None:
            continue
        try:
            go(name)
        except WorkbenchError:
            problems.append(say("The link names the variant {name}, which is not here.", name=name[:60]))
    if link.technique is not None:
        try:
            session.show_technique(link.technique, link.parameters)
        except WorkbenchError as error:
            problems.append(error.text)
    if problems:
        raise InvalidInput(problems[0])


def _shows(session: Session, link: Link) -> bool:
    here = _here(session)
    return here is not None and _is(here, link)


def _here(session: Session) -> WorkbenchFolder | None:
    """The workbench that is shown, as it is listed: with the name that its model came with."""
    return next(
        (one for one in session.workbench_folders if one.folder.name == session.workbench.folder.name), None
    )


def _is(found: WorkbenchFolder, link: Link) -> bool:
    return found.model == link.model and found.data == link.data and link.seed in (None, found.seed)


def write(session: Session) -> str:
    """The query that leads to the page's state; what is as usual is left out, and so is what is on a disk.

    Args:
        session: Of the page.
    """
    said: dict[str, str] = {}
    baseline, here = session.baseline, _here(session)
    if here is not None:
        demo = DEMO_MODELS.get(here.model)
        if demo is not None and demo.dataset == here.data:
            said["open"] = f"{demo.name},{demo.dataset}"
            if here.seed:
                said["seed"] = str(here.seed)
    names = {variant.id: variant.name for variant in session.variants}
    for key, variant in (
        ("from", session.parent),
        ("selected", session.selected),
        ("compared", session.reference),
    ):
        if variant in names and not (key == "from" and baseline is not None and variant == baseline.id):
            said[key] = names[variant]
    if session.panels is not None and session.panels.shown is not None:
        said["show"] = ",".join(sorted(session.panels.shown))
    if session.hidden:
        said["hide"] = ",".join(sorted(session.hidden))
    if session.fixed:
        said["fix"] = ",".join(
            f"{technique}.{name}:{value if isinstance(value, str) else json.dumps(value)}"
            for technique, values in sorted(session.fixed.items())
            for name, value in sorted(values.items())
        )
    if session.projector:
        said["projector"] = "1"
    if session.form is not None:
        technique, values = session.form
        said["technique"] = technique
        said |= _changed(session, technique, values)
    return urlencode(said, safe=",:", quote_via=quote)


def _changed(session: Session, technique: str, values: Mapping[str, Any]) -> dict[str, str]:
    parameters = session.workbench.techniques()[technique].parameters_type
    usual = defaults(parameters)
    return {
        (_PARAMETER if name in _OWN else "") + name: value
        if isinstance(value, str) and isinstance(_value(value), str)
        else json.dumps(value)
        for name, value in values_of(parameters, dict(values)).items()
        if name in usual and value != usual[name]
    }
