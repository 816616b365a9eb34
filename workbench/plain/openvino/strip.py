"""Takes out of an OpenVINO folder what no runtime reads.

Operations and what they compute keep their names, so that it can still be compared with its model.
"""

from __future__ import annotations

from pathlib import Path


def strip_openvino(folder: Path | str) -> None:
    """Shortens ``model.xml`` in a folder in place; it computes the same.

    White space between elements goes, and the history of the file: where it was converted from, by
    which versions, and with which settings.
    """
    from xml.etree import ElementTree

    path = Path(folder) / "model.xml"
    tree = ElementTree.parse(path)  # noqa: S314  # written here a moment ago
    root = tree.getroot()
    for history in root.findall("rt_info"):
        root.remove(history)
    for element in root.iter():
        element.tail = None
        if element.text is not None and not element.text.strip():
            element.text = None
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
