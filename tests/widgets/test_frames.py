"""Back-pressure: the newest state wins, one frame at a time, nothing is lost while a page loads."""

from __future__ import annotations

from typing import Any

from widgets.frames import OVERDUE_SECONDS, Frames


class Page:
    """What a browser receives from frames, with a clock of its own."""

    def __init__(self) -> None:
        self.value = 0
        self.now = 0.0
        self.made = 0
        self.received: list[dict[str, Any]] = []
        self.frames = Frames(self.make, self.received.append, lambda: self.now)

    def make(self) -> dict[str, Any]:
        self.made += 1
        return {"value": self.value}

    def set(self, value: int) -> None:
        self.value = value
        self.frames.wish()


def test_nothing_is_sent_before_the_page_has_rendered_and_then_the_newest_is() -> None:
    page = Page()
    first = page.frames.first()
    page.set(1)
    page.set(2)
    assert (first, page.received) == ({"value": 0, "frame": 0}, [])
    page.frames.rendered()
    assert page.received == [{"value": 2, "frame": 1}]


def test_the_next_frame_waits_for_the_echo_and_skips_what_is_stale() -> None:
    page = Page()
    page.frames.rendered()
    for value in range(1, 200):
        page.set(value)
    assert [state["value"] for state in page.received] == [0]
    page.frames.echo(1)
    assert [state["value"] for state in page.received] == [0, 199]
    assert page.made == 2  # a state that cannot be sent is not computed


def test_an_echo_of_another_frame_frees_nothing() -> None:
    page = Page()
    page.frames.rendered()
    page.set(1)
    for wrong in (0, 2, "1", None, {}):
        page.frames.echo(wrong)
    assert len(page.received) == 1


def test_an_unchanged_state_is_not_sent_again() -> None:
    page = Page()
    page.frames.rendered()
    page.frames.echo(1)
    page.frames.wish()
    assert len(page.received) == 1
    page.set(5)
    assert page.received[-1] == {"value": 5, "frame": 2}


def test_a_lost_echo_does_not_stop_the_page_for_ever() -> None:
    page = Page()
    page.frames.rendered()
    page.now = OVERDUE_SECONDS - 1
    page.set(1)
    assert len(page.received) == 1
    page.now = OVERDUE_SECONDS
    page.set(2)
    assert page.received[-1]["value"] == 2


def test_a_second_page_gets_the_state_even_if_the_first_one_never_answered() -> None:
    page = Page()
    page.frames.rendered()
    page.frames.rendered()
    assert [state["value"] for state in page.received] == [0, 0]


def test_while_nobody_looks_nothing_is_made_and_then_the_newest_is_sent() -> None:
    page = Page()
    page.frames.rendered()
    page.frames.echo(1)
    page.frames.unseen()
    page.now = 2 * OVERDUE_SECONDS
    for value in range(1, 50):
        page.set(value)
    assert (len(page.received), page.made) == (1, 1)
    page.frames.seen()
    assert [state["value"] for state in page.received] == [0, 49]
    page.frames.unseen()
    page.set(50)
    page.frames.rendered()  # a page that is opened beside it
    assert page.received[-1]["value"] == 50
