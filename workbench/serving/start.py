"""What a page says while it has no content of its own: it starts, it failed, it was refused."""

from __future__ import annotations

from workbench.api.text import LANGUAGES, Text, say


def start_words() -> dict[str, dict[str, str]]:
    """The texts of a page that starts, as ``{language: {name: text}}``: the browser knows which to speak.

    ``{seconds}`` and ``{count}`` are left for the page to fill in.
    """
    texts: dict[str, Text] = {
        "starting": say("Starting…"),
        "sending": say("Waiting for the kernel of this page, which is being started."),
        "loading": say("Loading the scripts of this page."),
        "connecting": say("Waiting for the first answer of the kernel."),
        "so_far": say("{seconds} s so far. Other pages or jobs may keep this machine busy."),
        "failed": say("The kernel of this page could not be started."),
        "empty": say("The kernel of this page sent nothing to show."),
        "error": say("The notebook of this page ended with an error."),
        "gone": say("The kernel of this page has ended."),
        "cut": say("The connection broke while this page was being sent."),
        "script": say("A script of this page could not be loaded."),
        "unknown": say("The kernel of this page does not know what the page should show."),
        "stuck": say("Nothing has moved on this page for a minute."),
        "again": say("Opening it again in {seconds} s."),
        "silent": say("The server does not answer. This page opens again as soon as it does."),
        "tried": say("Opening it again did not help."),
        "given_up": say("Reload it later; if that does not help, the terminal of the server says more."),
        "reload": say("Reload"),
    }
    return _in_each_language(texts)


def error_words() -> dict[str, dict[str, str]]:
    """The texts of an error page, as ``{language: {name: text}}``; a name is a status or ``other``."""
    texts: dict[str, Text] = {
        "403": say("The server refused this address."),
        "403_advice": say("Open the address that the terminal of the server shows: it ends with a token."),
        "token": say("Or enter the token here:"),
        "404": say("There is no such page here."),
        "404_advice": say("The dashboard is at the address below."),
        "503": say("All places are taken."),
        "503_advice": say("This page tries again by itself every {seconds} s, until somebody leaves."),
        "other": say("The server could not answer."),
        "other_advice": say("Reload the page. If that does not help, the terminal of the server says more."),
        "dashboard": say("Open the dashboard"),
        "reload": say("Reload"),
    }
    return _in_each_language(texts)


def _in_each_language(texts: dict[str, Text]) -> dict[str, dict[str, str]]:
    return {
        language: {name: text.translated(language) for name, text in texts.items()} for language in LANGUAGES
    }
