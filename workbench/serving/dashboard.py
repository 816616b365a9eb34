"""The dashboard, served by Voila."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import tornado.ioloop
from jupyter_server.utils import url_path_join
from tornado.httpserver import HTTPServer
from traitlets.config import Config
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from workbench.api.text import say
from workbench.serving.baselines import baselines_measured
from workbench.serving.handlers import (
    KERNEL_ID,
    ConnectionHandler,
    ExpectingHandler,
    LeavingHandler,
    PageHandler,
    StatusHandler,
)
from workbench.serving.kernels import PageKernelManager
from workbench.serving.page import UPLOAD_LIMIT_BYTES, Page, ServerSettings, server_environment
from workbench.serving.scripts import Scripts
from workbench.serving.session import listening_socket, no_process_left, open_browser, stop_signals
from workbench.serving.start import error_words, start_words

_USUAL_PORT = 8866
_IDLE_SECONDS_OF_A_STRANGER = 2 * 3600
_PATIENCE_WITH_A_KERNEL_SECONDS = 600


def serve_dashboard(
    page: Page, settings: ServerSettings, scheduler: str | None, announce: Callable[[str], None]
) -> None:
    """Serves the dashboard until a signal ends it.

    Args:
        page: What is served.
        settings: How.
        scheduler: Address of the cluster that all pages share; None gives each its own.
        announce: Called with the address of the page once it can be opened.

    Raises:
        Unavailable: If the port that was asked for is taken.
    """
    listening = listening_socket(settings.host, settings.port, _USUAL_PORT)
    port = listening.getsockname()[1]
    # Jupyter gives tornado its own ping's milliseconds, and tornado complains at each connection.
    logging.getLogger("tornado.general").setLevel(logging.ERROR)
    with (
        server_environment(page, settings, scheduler),
        no_process_left(),
        tempfile.TemporaryDirectory(prefix="workbench-") as scratch,
    ):
        # Where the folder was named, somebody may look into the visitors' while they are there.
        visitors = (settings.folder or Path(scratch) / "visitors").absolute() if settings.shared else None
        # The one instance: what Voila's parts log goes to it, and with none nowhere.
        configuration = _configuration(page, settings, port, visitors, Path(scratch))
        app = _Dashboard.instance(page, settings, listening, announce, config=configuration)
        early = baselines_measured(Path(scratch)) if settings.measures_baselines else contextlib.nullcontext()
        try:
            app.initialize([])
            with early:
                app.start()
        finally:
            _Dashboard.clear_instance()


def _configuration(
    page: Page, settings: ServerSettings, port: int, visitors: Path | None, scratch: Path
) -> Config:
    config = Config()
    config.Voila.ip = settings.host
    config.Voila.port = port
    config.Voila.open_browser = False  # opened by us, at the address that has the token
    config.Voila.notebook_path = str(page.notebooks / page.dashboard)
    config.Voila.config_file_paths = []  # the user's settings for other Voila pages are not for this one
    config.Voila.token = secrets.token_urlsafe(24) if settings.with_token else ""
    config.Voila.log_level = logging.ERROR
    config.Voila.tornado_settings = {
        "websocket_max_message_size": UPLOAD_LIMIT_BYTES,
        "static_immutable_cache": [f"/voila/labextensions/{page.immutable}/"],
        # A page of another site must not reach this one through a name that resolves to loopback.
        "allow_remote_access": settings.shared or not settings.loopback,
        "local_hostnames": ["localhost", "127.0.0.1", "::1"],
    }
    config.VoilaConfiguration.template = page.template
    config.VoilaConfiguration.preheat_kernel = True
    config.VoilaConfiguration.default_pool_size = 1
    config.VoilaConfiguration.show_tracebacks = False
    config.VoilaConfiguration.strip_sources = True
    config.VoilaConfiguration.file_allowlist = []
    config.VoilaConfiguration.multi_kernel_manager_class = PageKernelManager
    config.VoilaConfiguration.extension_allowlist = [
        "@jupyter-widgets/jupyterlab-manager",  # registers the base of all widgets
        "@voila-dashboards/widgets-manager8",
        "anywidget",
    ]
    # The notebook's output and the word that its cell has ended come by two sockets. nbclient waits 4 s for
    # the output, and then takes the cell to have none: where many kernels start at once, an empty page.
    config.VoilaExecutor.iopub_timeout = _PATIENCE_WITH_A_KERNEL_SECONDS
    config.VoilaExecutor.startup_timeout = _PATIENCE_WITH_A_KERNEL_SECONDS
    config.VoilaExecutor.raise_on_iopub_timeout = True
    config.VoilaExecutor.cell_error_instruction = str(say("The terminal of the server says more."))
    config.VoilaExporter.language_code = (settings.language or "en").replace("_", "-")
    config.VoilaConfiguration.resources = {
        "neural_workbench": {
            "modules": list(page.modules),
            "language": _usual_language(settings),
            "words": start_words(),
            "asks": True,
        }
    }
    config.PageKernelManager.grace_seconds = settings.grace_seconds
    config.PageKernelManager.keep_jobs_seconds = settings.keeps_jobs_seconds
    config.PageKernelManager.jobs_folder = str(scratch)
    config.PageKernelManager.first_visit_seconds = settings.first_visit_seconds
    config.PageKernelManager.working_folder = str(Path.cwd())
    if visitors is not None:
        config.PageKernelManager.visitor_root = str(visitors)
        config.PageKernelManager.cull_idle_timeout = _IDLE_SECONDS_OF_A_STRANGER
        config.PageKernelManager.cull_connected = True
    # Sockets that only this user can open, where a port is open to every user of the machine.
    if os.name == "posix":
        config.ServerKernelManager.transport = "ipc"
    # Messages of a live chart are not a flood.
    config.ZMQChannelsWebsocketConnection.iopub_msg_rate_limit = 0
    config.ZMQChannelsWebsocketConnection.iopub_data_rate_limit = 0
    return config


def _usual_language(settings: ServerSettings) -> str:
    return settings.language or os.environ.get("WORKBENCH_LANGUAGE") or "en"


class _Dashboard(Voila):
    def __init__(
        self,
        page: Page,
        settings: ServerSettings,
        listening: socket.socket,
        announce: Callable[[str], None],
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._page = page
        self._settings = settings
        self._listening = listening
        self._scripts = Scripts(page.immutable)
        self._announce = announce

    def init_settings(self) -> dict[str, Any]:
        """Voila's settings, with an error page of ours for everything that can fail."""
        made: dict[str, Any] = super().init_settings()
        # Jupyter's own asks for static files that Voila's server does not have, and fails at that.
        own = [folder for folder in self.template_paths if Path(folder).name == self._page.template]
        of_jupyter = made["jinja2_env"]
        of_jupyter.loader = jinja2.ChoiceLoader([jinja2.FileSystemLoader(own), of_jupyter.loader])
        for templates in (of_jupyter, made["voila_jinja2_env"]):
            templates.globals["workbench_errors"] = {
                "language": _usual_language(self._settings),
                "words": error_words(),
            }
        return made

    def init_handlers(self) -> list[Any]:
        """Voila's handlers, with ours in place of some."""
        own: dict[Any, tuple[Any, dict[str, Any]]] = {
            TornadoVoilaHandler: (
                PageHandler,
                {
                    "visitors": self._settings.visitors if self._settings.shared else None,
                    "scripts": self._scripts,
                },
            ),
            VoilaKernelWebsocketHandler: (ConnectionHandler, {}),
        }
        handlers: list[Any] = [
            (url_path_join(self.server_url, "/voila/api/shutdown/", KERNEL_ID), LeavingHandler),
            (url_path_join(self.server_url, "/voila/api/expect/", KERNEL_ID), ExpectingHandler),
            (url_path_join(self.server_url, "/api/status"), StatusHandler),
        ]
        for address, handler, *options in super().init_handlers():
            handler, more = own.get(handler, (handler, {}))
            handlers.append((address, handler, {**(options[0] if options else {}), **more}))
        return handlers

    def listen(self) -> None:
        """Answers on the port that was taken at the start, and tells the address; until it is stopped."""
        self.app.settings["log_function"] = self._scripts.see
        HTTPServer(self.app).add_socket(self._listening)
        self.ioloop = tornado.ioloop.IOLoop.current()
        token = self.identity_provider.token
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        address = f"http://{host}:{self.port}{self.base_url}" + (f"?token={token}" if token else "")
        with stop_signals(lambda: self.ioloop.add_callback_from_signal(self.ioloop.stop)):
            self._announce(address)
            if self._settings.open_browser:
                open_browser(address)
            try:
                self.ioloop.start()
            finally:
                self.stop()
