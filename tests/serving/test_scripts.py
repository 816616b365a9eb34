from __future__ import annotations

import logging
from types import SimpleNamespace

from workbench.serving.scripts import Scripts


def answered(scripts: Scripts, address: str, status: int = 200) -> None:
    request = SimpleNamespace(path=address.partition("?")[0], uri=address, method="GET")
    scripts.see(SimpleNamespace(request=request, get_status=lambda: status))


def test_the_first_opening_teaches_the_later_ones():
    scripts = Scripts("@own/assets")
    assert scripts.hints() == ""
    answered(scripts, "/voila/static/voila.js")
    answered(scripts, "/base/voila/labextensions/other/static/7.js?v=7")
    answered(scripts, "/voila/static/voila.js")
    for other in ("/voila/labextensions/@own/assets/1/a.js", "/voila/static/a.css", "/api/status", "/x/a.js"):
        answered(scripts, other)
    answered(scripts, "/voila/static/gone.js", 404)
    hints = scripts.hints()
    assert hints.split(", ") == [
        "</voila/static/voila.js>; rel=preload; as=script",
        "</base/voila/labextensions/other/static/7.js?v=7>; rel=preload; as=script",
    ]
    answered(scripts, "/voila/static/voila.js?of=a-stranger")
    assert scripts.hints() == hints


def test_errors_of_the_server_are_still_logged(caplog):
    with caplog.at_level(logging.ERROR, "tornado.access"):
        answered(Scripts("own"), "/broken?token=secret", 500)
        answered(Scripts("own"), "/missing", 404)
    assert caplog.messages == ["500 GET /broken"]
