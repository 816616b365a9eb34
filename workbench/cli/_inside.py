"""The inside of a model file as the command line prints it."""

from __future__ import annotations

from workbench.api.number_format import count, size
from workbench.api.text import say, verbatim
from workbench.measure.inside.names import readable
from workbench.measure.inside.records import Inside, InsideLayer
from workbench.results.inside_words import CHANGES, error_words, inside_summary, time_words


def print_inside(known: Inside) -> None:
    """Prints a row for each layer, then what they are together."""
    import click

    from workbench.cli._tables import print_table

    compared = known.reference is not None
    headings = [say("layer"), say("time"), say("bytes"), say("operations"), say("error")]
    rows = [_cells(layer) for layer in known.layers]
    rows += [
        [f"{readable(layer.name)}\n{layer.kind}, {CHANGES['removed']}", "", size(layer.size_bytes), "", ""]
        for layer in known.removed
    ]
    if known.times is not None:
        rows += [
            [one.name or str(say("The call itself")), time_words(one.time_ms), "", "", ""]
            for one in known.times.between
        ]
    print_table(headings if compared else headings[:-1], [row if compared else row[:-1] for row in rows])
    click.echo()
    for line in (*inside_summary(known), *known.notes):
        click.echo(str(line))


def _cells(layer: InsideLayer) -> list[str]:
    change = "" if layer.change in (None, "kept") else f", {CHANGES[layer.change]}"
    precision = f", {layer.precision}" if layer.parameters else ""
    took = time_words(layer.time_ms)
    if layer.runs_in is not None:
        took = str(say("in {layer}", layer=verbatim(readable(layer.runs_in))))
    return [
        f"{readable(layer.name)}\n{layer.kind}{precision}{change}",
        took,
        size(layer.size_bytes) if layer.size_bytes else "",
        count(layer.macs) if layer.macs else "",
        error_words(layer),
    ]
