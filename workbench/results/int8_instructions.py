"""What a processor's instructions for int8 products mean for the speed of quantized models."""

from __future__ import annotations

from workbench.api.technique import Aim, AnyTechnique
from workbench.api.text import Text, say
from workbench.measure.records import Environment

_FEATURES = ("VNNI", "AMX", "DOTPROD", "I8MM")


def int8_instructions(machine: Environment | None) -> str | None:
    """The instructions for int8 products that a machine has, such as ``VNNI``; None where it has none."""
    if machine is None:
        return None
    return next(
        (feature for feature in _FEATURES if any(feature in name.upper() for name in machine.features)), None
    )


def speed_here(technique: AnyTechnique, machine: Environment) -> Text | None:
    """What to expect of a technique's speed on this machine; None where its instructions do not matter."""
    if technique.int8_instructions is None:
        return None
    feature = int8_instructions(machine)
    if feature is not None:
        return say("This processor has {feature}: usually faster than float32 here.", feature=feature)
    if technique.int8_instructions == "needed":
        return say(
            "This processor has no int8 instructions (VNNI, AMX or Arm's DOTPROD): usually slower than "
            "float32 here."
        )
    return say(
        "This processor has no int8 instructions (VNNI, AMX or Arm's DOTPROD): faster than float32 by less "
        "than with them."
    )


def aims_here(technique: AnyTechnique, machine: Environment) -> frozenset[Aim]:
    """What a technique is used for on this machine: nothing is faster that needs what is not there."""
    if technique.int8_instructions == "needed" and int8_instructions(machine) is None:
        return technique.aims - {"faster"}
    return technique.aims
