"""What is said of a model of the user's own class: how it was opened, and what that means for techniques."""

from __future__ import annotations

from workbench.api.text import Text, say
from workbench.api.variant import OwnClass


def opening_notes(opened: OwnClass | None) -> tuple[Text, ...]:
    """Sentences on how a model was opened; none for one of no class of the user's own.

    Args:
        opened: What was found in it.
    """
    if opened is None:
        return ()
    if opened.graph_only is not None:
        return (
            say(
                "Only the graph of {name} is left, with its weights as constants: {reason} Runtimes and "
                "quantization after training take it, and a student can learn from it. It cannot be trained, "
                "pruned or decomposed.",
                name=opened.name,
                reason=opened.graph_only,
            ),
        )
    notes = []
    if opened.layers > len(opened.closed):
        notes.append(
            say(
                "Opened up: {count} layer of {name}. Its weights are the same, its outputs equal to the last "
                "bit on samples. Techniques see each layer.",
                "Opened up: {count} layers of {name}. Their weights are the same, the outputs equal to the "
                "last bit on samples. Techniques see each layer.",
                count=opened.layers,
                name=opened.name,
            )
        )
    if opened.closed:
        notes.append(
            say(
                "What stays closed: {layers}. It is trained, converted, quantized and taught as a whole, but "
                "not pruned, narrowed or decomposed inside; what feeds it keeps its width.",
                layers=opened.closed,
            )
        )
    if opened.training_left_out:
        notes.append(
            say(
                "What {name} does in training only is left out: training here goes without it.",
                name=opened.name,
            )
        )
    return tuple(notes)
