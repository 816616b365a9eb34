"""Writes the report of a workbench; what is in it is made where the page is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.api.errors import InvalidInput, Unavailable
from workbench.api.text import LANGUAGES, current_language, say, use_language
from workbench.engine.page_parts import page_part

if TYPE_CHECKING:
    from workbench.engine.reading import Reading


def write_report(workbench: Reading, path: str | Path, language: str | None = None) -> Path:
    """Writes one HTML file: variants with intervals, charts, caveats, recipes, machine and versions.

    Args:
        workbench: What is reported on.
        path: The file to write; one that is there is replaced.
        language: One of :data:`workbench.api.text.LANGUAGES`; by default the current one.

    Returns:
        The file.

    Raises:
        InvalidInput: If there is no such language, or the file cannot be written.
        Unavailable: Without the page's package.
    """
    report_html = page_part("report")
    if report_html is None:
        raise Unavailable(
            say("The page, which makes reports, is not installed."),
            say("Install the package neural-workbench again."),
        )
    before = current_language()
    if language not in (None, *LANGUAGES):
        raise InvalidInput(
            say("There is no language {language}.", language=repr(language)[:40]),
            say("There are: {names}.", names=", ".join(LANGUAGES)),
        )
    file = Path(path).expanduser()
    try:
        use_language(language or before)
        file.write_text(report_html(workbench), encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            say(
                "The report cannot be written to {file}: {reason}",
                file=str(file),
                reason=error.strerror or "",
            ),
            say("Name a file in a folder that is there."),
        ) from error
    finally:
        use_language(before)
    return file
