"""The base of every widget: one synced JSON state out, named actions in."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Callable
from typing import Any, ClassVar

import anywidget
import traitlets

from widgets.assets import deliver
from widgets.frames import Frames
from widgets.session import Session, session_of
from workbench.api.errors import WorkbenchError
from workbench.api.text import Text, current_language, say
from workbench.workbench import Workbench

_LOST = say(
    "Nothing answers this page any more, and what it shows may be old. What was finished is stored: "
    "reload the page, or in a notebook run the cell again."
)
_OLD = say("What is shown here may be old.")
_PROCESS = secrets.token_hex(8)
"""A page may show panels of a kernel that was restarted beside those of the one that answers."""
_RELOAD = say("Reload")
_CLOSED = say(
    "This workbench was closed. What was finished is stored: open its folder again with Workbench(...)."
)


class Component(anywidget.AnyWidget):
    """A view of a session. A subclass says what is shown (:meth:`view`) and what can be done.

    An action ``name`` from the page calls the method ``act_<name>`` with the message's values as
    keyword arguments. A page can send anything, so each action checks what it is given, through the
    engine wherever the engine can.

    Args:
        workbench: A workbench, or its session, which all its widgets share.
    """

    state = traitlets.Dict().tag(sync=True)
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "results", "selection"})
    """Which changes of the session it shows; ``language`` and ``workbench`` are always shown."""
    panel: ClassVar[str] = ""
    """What links, lessons and the reader call it; empty where it is shown whatever is chosen."""
    takes_long: ClassVar[bool] = False
    """Whether the others are shown first where all change."""

    def __init__(self, workbench: Workbench | Session) -> None:
        self.session = workbench if isinstance(workbench, Session) else session_of(workbench)
        self.problem: Text | None = None
        # Of a whole page it is the page that shows and hides.
        self.off = self.session.panels is None and self.panel in self.session.hidden
        self._seen: dict[str, Any] = {}
        self._frames = Frames(self._spoken, self._put)
        super().__init__(state=self._frames.first())
        self.on_msg(deliver)
        self.on_msg(self._on_message)
        self.session.rhythm.add(self)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON, in the current language."""
        raise NotImplementedError

    def switch(self, *, off: bool) -> None:
        """Takes the panel out of sight, or brings it back."""
        if off != self.off:
            self.off = off
            self.refresh()

    def refresh(self) -> None:
        """Shows what is new, when the page is ready for it."""
        if self.comm is not None:
            self._frames.wish()

    def close(self) -> None:
        """Takes the widget off the page."""
        # ipywidgets also closes what was never opened, when it is garbage.
        if "session" in self.__dict__:
            self.session.rhythm.remove(self)
        super().close()

    def _spoken(self) -> dict[str, Any]:
        closed = self.session.workbench.closed
        if not closed or not self._seen:
            self._seen = self.view()
        return {
            **self._seen,
            "spoken": current_language().replace("_", "-"),
            "projector": self.session.projector,
            # Not by the classes that ipywidgets has for it: anywidget does not put them into the page.
            "off": self.off,
            "process": _PROCESS,
            "lost": str(_LOST),
            "old": str(_OLD),
            "lostReload": str(_RELOAD),
            "closed": str(_CLOSED) if closed else None,
        }

    def _put(self, state: dict[str, Any]) -> None:
        self.state = state

    def _on_message(self, _: object, content: Any, buffers: list[memoryview]) -> None:
        if not isinstance(content, dict):
            return
        kind = content.get("type")
        if kind == "rendered":
            self._frames.rendered()
            # Besides: the page may have been built from a state older than the newest frame.
            self.send_state("state")
        elif kind == "echo":
            self._frames.echo(content.get("frame"))
        elif kind == "unseen":
            self._frames.unseen()
            self.send({"type": "who looks"})  # a second page of this kernel may
        elif kind == "seen":
            self._frames.seen()
        elif kind == "ping":
            self.send({"type": "pong", "process": _PROCESS})
        elif kind == "act":
            self._act(content, buffers)

    def _act(self, content: dict[str, Any], buffers: list[memoryview]) -> None:
        values = {name: value for name, value in content.items() if name not in ("type", "name")}
        if buffers:
            values["buffers"] = buffers
        action = getattr(self, f"act_{content.get('name')}", None)
        if action is None or not _takes(action, values):
            return
        self.problem = None
        if self.session.workbench.closed:
            self.refresh()
            return
        try:
            action(**values)
        except WorkbenchError as error:
            self.problem = error.text
        self.refresh()


def _takes(action: Callable[..., None], values: dict[str, Any]) -> bool:
    try:
        inspect.signature(action).bind(**values)
    except TypeError:  # not a message of our page
        return False
    return True


def words(texts: dict[str, Text]) -> dict[str, str]:
    """The labels of a view in the current language."""
    return {name: str(text) for name, text in texts.items()}
