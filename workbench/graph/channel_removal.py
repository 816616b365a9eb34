"""Takes channels out of a Keras model, and says what is in the way where that fails."""

from __future__ import annotations

from typing import Any

from workbench.api.errors import Refused
from workbench.api.library_errors import reason_of
from workbench.api.text import say
from workbench.graph.units import Removed
from workbench.plain.keras.channel_removal import UnexpectedShapes, remove_channels
from workbench.plain.keras.channels import ModelChannels


def without_channels(
    model: Any,
    channels: ModelChannels,
    removed: Removed,
    before: Removed | None = None,
    *,
    trust: bool = False,
) -> Any:
    """The model without some channels; arguments as of :func:`remove_channels`.

    Raises:
        workbench.api.errors.Refused: If it cannot be built, with the layer that is in the way.
    """
    try:
        return remove_channels(model, channels, removed, before, trust=trust)
    except UnexpectedShapes as error:
        raise Refused(
            say(
                "The weights of {layer} have shapes {found}, and {expected} was expected.",
                layer=error.layer,
                found=error.found,
                expected=error.expected,
            ),
            say("Please report this layer: its channels are followed wrongly."),
        ) from error
    except (ValueError, TypeError, ArithmeticError, NotImplementedError) as error:
        # Keras puts the whole configuration before what is wrong with it.
        told = reason_of(error)
        raise Refused(say("The smaller model cannot be built: {error}", error=told)) from error
