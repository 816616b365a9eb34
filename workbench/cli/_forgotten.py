"""What a model file has forgotten, as the command line prints it."""

from __future__ import annotations

from workbench.api.text import say
from workbench.measure.forgotten.records import Forgotten
from workbench.results import forgotten_words as written


def print_forgotten(known: Forgotten, name: str, other: str) -> None:
    """Prints the groups of lost samples, then what the two files look at.

    Args:
        known: What was found out.
        name: The file.
        other: What it is held against.
    """
    import click

    from workbench.cli._tables import print_table

    if known.losses is None:
        click.echo(str(known.losses_obstacle))
    else:
        for line in written.losses_summary(known.losses, known.classes):
            click.echo(str(line))
        for columns, rows in (
            (written.CLASS_COLUMNS, written.class_rows(known.losses, known.classes)),
            (written.CONFIDENCE_COLUMNS, written.confidence_rows(known.losses)),
            (written.THOUGHT_COLUMNS, written.thought_rows(known.losses)),
        ):
            if rows and (known.losses.lost or known.losses.won):
                click.echo()
                print_table(columns, rows)
    click.echo()
    if known.drift is None:
        for said in (known.drift_obstacle, *known.notes):
            click.echo(str(said))
        return
    print_table(written.DRIFT_COLUMNS, written.drift_rows(known.drift, name, other))
    click.echo()
    for line in written.drift_notes(known.drift):
        click.echo(str(line))
    for place, one in enumerate(known.drift.drifted):
        click.echo(
            "{}, {}; {}".format(
                say("Test sample {index}", index=one.index),
                say("Rank correlation {value}", value=written.correlation(one.correlation)),
                written.peak_words(known.drift, place),
            )
        )
    for note in known.notes:
        click.echo(str(note))
