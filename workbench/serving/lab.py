"""The notebooks, served by JupyterLab."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyterlab.labapp import LabApp

from workbench.api.text import say
from workbench.serving.page import UPLOAD_LIMIT_BYTES, Page, ServerSettings, server_environment
from workbench.serving.session import listening_socket, no_process_left, open_browser, stop_signals

_USUAL_PORT = 8888


def serve_lab(
    page: Page,
    settings: ServerSettings,
    scheduler: str | None,
    announce: Callable[[str], None],
    first: str | None = None,
) -> None:
    """Serves the notebooks until a signal ends it.

    Args:
        page: What is served.
        settings: How.
        scheduler: Address of the cluster that all notebooks share; None gives each its own.
        announce: Called with the address once it can be opened.
        first: The notebook that is shown first, inside the folder of notebooks; None shows the dashboard's.

    Raises:
        Unavailable: If the port that was asked for is taken.
    """
    listening = listening_socket(settings.host, settings.port, _USUAL_PORT)
    port = listening.getsockname()[1]
    notebooks = writable_notebooks(page.notebooks, Path.home() / "neural-workbench" / "notebooks")
    token = secrets.token_urlsafe(24)
    with server_environment(page, settings, scheduler), no_process_left():
        _Server.instance(listening)  # the one instance: JupyterLab's start finds it, and makes none
        server = LabApp.initialize_server(argv=_arguments(page, settings, port, token, notebooks))
        server.web_app.settings["page_config_hook"] = _page_config(page)
        address = f"http://{settings.host}:{port}/lab/tree/{first or page.dashboard}?token={token}"

        def ready() -> None:
            # The server has set its own handlers by now, which ask a question before they end it.
            context.__enter__()
            announce(address)
            if settings.open_browser:
                open_browser(address)

        context = stop_signals(lambda: server.io_loop.add_callback_from_signal(server.stop, True))
        server.io_loop.add_callback(ready)
        try:
            server.start()
        finally:
            context.__exit__(None, None, None)


class _Server(ServerApp):
    """Jupyter's server, on a socket that listens already instead of on a port that it looks for."""

    def __init__(self, listening: socket.socket, **options: Any) -> None:
        super().__init__(**options)
        self._listening = listening

    def _find_http_port(self) -> None:
        pass

    def _bind_http_server_tcp(self) -> bool:
        self.http_server.add_socket(self._listening)
        return True


def writable_notebooks(source: Path, copies: Path) -> Path:
    """The folder to work in: the notebooks themselves, or copies where they cannot be written.

    Args:
        source: The folder of notebooks.
        copies: Where copies go. One that is there already is left as the user changed it.
    """
    if os.access(source, os.W_OK) and "site-packages" not in source.parts:
        return source
    return copied_notebooks(source, copies)


def copied_notebooks(source: Path, copies: Path) -> Path:
    """Copies of notebooks, to work in.

    Args:
        source: The folder of notebooks.
        copies: Where copies go. One that is there already is left as the user changed it.
    """
    for file in source.rglob("*"):
        target = copies / file.relative_to(source)
        if file.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    return copies


def _page_config(page: Page) -> Callable[[Any, dict[str, Any]], dict[str, Any]]:
    """What JupyterLab's page is told: no news, and what stands in its launcher."""
    cards = json.dumps(launcher_cards(page))

    def hook(_handler: Any, config: dict[str, Any]) -> dict[str, Any]:
        # It asks each new user whether to fetch news from another host.
        disabled = [*config.get("disabledExtensions", []), "@jupyterlab/apputils-extension:announcements"]
        return {**config, "disabledExtensions": disabled, "neuralWorkbenchLauncher": cards}

    return hook


def launcher_cards(page: Page) -> list[dict[str, Any]]:
    """The cards in JupyterLab's launcher, for ``widgets/launcher/launcher.js``, in the current language."""
    return [
        {
            "id": "dashboard",
            "label": "Neural Workbench",
            "caption": str(say("The whole page, in a notebook")),
            "paths": [page.dashboard],
            "run": True,
        },
        {
            "id": "course",
            "label": str(say("Course")),
            "caption": str(say("Lessons with numbers measured on this machine")),
            "paths": [page.course],
            "run": False,
        },
    ]


def _arguments(page: Page, settings: ServerSettings, port: int, token: str, notebooks: Path) -> list[str]:
    values: dict[str, Any] = {
        "ServerApp.ip": settings.host,
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.root_dir": str(notebooks),
        # The shim takes over settings of old notebook servers: it reads each deprecated one, which warns.
        "ServerApp.jpserver_extensions": {"jupyterlab": True, "notebook_shim": False},
        "ServerApp.allow_root": True,
        "ServerApp.tornado_settings": {"websocket_max_message_size": UPLOAD_LIMIT_BYTES},
        "ServerApp.static_immutable_cache": [f"/lab/extensions/{page.immutable}/"],
        "IdentityProvider.token": token,
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        # Looking for language servers runs npm, which complains when Ctrl-C ends it.
        "LanguageServerManager.autodetect": False,
        "ServerApp.log_level": "WARN",
        "LabApp.log_level": "WARN",
    }
    return [f"--{name}={value}" for name, value in values.items()]
