"""Builds the site: ``python -m scripts.site build/site``."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from scripts.site.notebooks import notebook_pages
from scripts.site.reference import ROOMS, reference_pages
from scripts.site.sections import section_pages
from scripts.site.teaching import teaching_pages

ROOT = Path(__file__).resolve().parents[2]


def pages(rooms: tuple[str, ...] = ROOMS) -> dict[str, str]:
    """The pages that are made from the code, the notebooks and the texts beside it, by path.

    Args:
        rooms: The packages whose modules are shown.
    """
    return {
        **reference_pages(rooms),
        **notebook_pages(ROOT / "notebooks"),
        **section_pages(ROOT),
        **teaching_pages(ROOT / "widgets" / "course" / "lessons"),
    }


def main(target: Path, rooms: tuple[str, ...] = ROOMS) -> int:
    """Writes the site.

    Args:
        target: The folder; what is in it is replaced.
        rooms: The packages whose modules are shown.

    Returns:
        Sphinx' status: a warning is an error.
    """
    from sphinx.cmd.build import main as sphinx

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # modules that are shown import TensorFlow

    with tempfile.TemporaryDirectory(prefix="workbench-site-") as temporary:
        source = Path(temporary) / "source"
        shutil.copytree(ROOT / "docs", source)
        for name, text in pages(rooms).items():
            file = source / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        doctrees = Path(temporary) / "doctrees"
        status = sphinx(
            ["-q", "-W", "--keep-going", "-b", "html", "-d", str(doctrees), str(source), str(target)]
        )
    if status == 0:
        sys.stdout.write(f"The site begins at {target / 'index.html'}\n")
    return int(status)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
