"""The page as the servers need it: notebooks, files for the browser, the template."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path

from widgets import assets
from workbench.api.text import current_language
from workbench.serving.page import Page

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "template"


def page(cache_folder: Path | None = None) -> Page:
    """Prepares what ``workbench dashboard`` and ``workbench lab`` serve, in the current language.

    Args:
        cache_folder: Where to put the files for the browser; None takes the user's cache folder.
    """
    folder = cache_folder if cache_folder is not None else user_cache_path("neural-workbench")
    notebooks = notebooks_folder()
    return Page(
        notebooks=notebooks,
        dashboard="dashboard.ipynb",
        course=_course(notebooks),
        jupyter_path=(assets.publish(folder), _TEMPLATE),
        template="neural-workbench",
        immutable=assets.NAME,
        modules=assets.modules(),
    )


def notebooks_folder() -> Path:
    """Where the notebooks of the dashboard and the course are."""
    # In a wheel they lie in this package; in a checkout beside it.
    packaged = _HERE / "notebooks"
    return packaged if packaged.is_dir() else _HERE.parent / "notebooks"


def _course(notebooks: Path) -> str:
    """The first lesson, or the article where there are no lessons."""
    chinese = current_language() == "zh_CN"
    lessons = sorted((notebooks / "course" / ("zh" if chinese else "en")).glob("*.ipynb"))
    if lessons:
        return lessons[0].relative_to(notebooks).as_posix()
    return "article-zh.ipynb" if chinese else "article.ipynb"
