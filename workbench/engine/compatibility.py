"""Whether a technique fits a variant, and a model fits its data: the engine's own checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput, Refused, Unavailable
from workbench.api.suggestions import with_suggestion
from workbench.api.technique import AnyTechnique, Parameters
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import ModelDescription, Variant
from workbench.engine.refusal import refusal
from workbench.results.step_order import order_obstacle


class InvalidParameters(InvalidInput):
    """Parameters out of their ranges.

    Attributes:
        fields: What is wrong with each field, by name.
    """

    def __init__(
        self, problem: Text, action: Text | None = None, fields: dict[str, Text] | None = None
    ) -> None:
        super().__init__(problem, action)
        self.fields = fields or {}


def parse_parameters(technique: AnyTechnique, values: Mapping[str, Any]) -> Parameters:
    """Validates a technique's parameters, whoever sent them.

    Raises:
        InvalidParameters: With the reason for each field.
    """
    try:
        return technique.parameters_type.model_validate(dict(values))
    except ValidationError as error:
        fields = {
            ".".join(str(part) for part in problem["loc"]): _reason(problem) for problem in error.errors()
        }
        first, reason = next(iter(fields.items()))
        received = repr(values.get(first, None))[:80]
        raise InvalidParameters(
            say(
                "{technique}: parameter {parameter} is wrong: {reason}. Received: {received}.",
                technique=technique.name,
                parameter=first,
                reason=reason,
                received=received,
            ),
            _what_there_is(technique, next(iter(error.errors()))),
            fields,
        ) from None


def _what_there_is(technique: AnyTechnique, problem: Mapping[str, Any]) -> Text:
    """The parameters of a technique, and the one that was meant, where one of another name was given."""
    known = technique.parameters_type.model_fields
    names = say("Its parameters are: {names}.", names=", ".join(known) or "none")
    if problem["type"] != "extra_forbidden":
        return names
    return with_suggestion(problem["loc"][0], known, names)


def _reason(problem: Mapping[str, Any]) -> Text:
    """What pydantic found, in words that can be translated."""
    limits = problem.get("ctx", {})
    match problem["type"]:
        case "greater_than_equal":
            return say("it must be at least {least}", least=limits["ge"])
        case "greater_than":
            return say("it must be above {least}", least=limits["gt"])
        case "less_than_equal":
            return say("it must be at most {most}", most=limits["le"])
        case "less_than":
            return say("it must be below {most}", most=limits["lt"])
        case "int_parsing" | "int_type" | "int_from_float":
            return say("it must be a whole number")
        case "float_parsing" | "float_type" | "finite_number":
            return say("it must be a number")
        case "bool_parsing" | "bool_type":
            return say("it must be yes or no")
        case "string_type":
            return say("it must be a text")
        case "literal_error" | "enum":
            return say("it must be one of {allowed}", allowed=limits["expected"])
        case "extra_forbidden":
            return say("there is no such parameter")
        case "missing":
            return say("it is needed")
        case "value_error":
            return verbatim(str(limits.get("error", problem["msg"])))
        case _:
            return verbatim(problem["msg"])


def same_variant(
    technique: AnyTechnique, parent: Variant, parameters: Parameters, variants: Iterable[Variant]
) -> Variant | None:
    """A variant that was made by the same technique with the same parameters from the same variant; or None.

    The workbench's seed is the same for all, so another one would come out alike.
    """
    for variant in variants:
        if (variant.technique, variant.parent) == (technique.name, parent.id):
            try:
                known = technique.parameters_type.model_validate(variant.parameters)
            except ValidationError:  # of a release in which they were others
                continue
            if known == parameters:
                return variant
    return None


def technique_obstacle(
    technique: AnyTechnique,
    variant: Variant,
    dataset: DatasetInfo,
    parameters: Parameters,
    variants: Sequence[Variant],
) -> Text | None:
    """Why a technique cannot be applied here and now, or None.

    Args:
        technique: What is to be applied.
        variant: To what.
        dataset: The data.
        parameters: The technique's.
        variants: All variants: some orders of steps make no sense.
    """
    found = refusal(technique, variant, dataset, parameters, variants)
    return None if found is None else found.reason


def require_fit(
    technique: AnyTechnique,
    variant: Variant,
    dataset: DatasetInfo,
    parameters: Parameters,
    variants: Sequence[Variant],
) -> None:
    """Raises the reason why a technique cannot be applied; see :func:`technique_obstacle`.

    Raises:
        Unavailable: If this machine lacks something.
        Refused: If it does not fit the variant.
    """
    missing = technique.unavailable()
    if missing is not None:
        raise Unavailable(missing)
    reason = technique_obstacle(technique, variant, dataset, parameters, variants)
    if reason is not None:
        raise Refused(
            say(
                "{technique} does not fit {variant}: {reason}",
                technique=technique.name,
                variant=variant.name,
                reason=reason,
            )
        )


def require_order(steps: Sequence[AnyTechnique]) -> None:
    """Refuses a recipe in which a step destroys what an earlier one has left, before any time is spent.

    Raises:
        Refused: With the better order.
    """
    earlier: list[tuple[str, str]] = []
    for number, step in enumerate(steps, start=1):
        reason = order_obstacle(step, earlier)
        if reason is not None:
            raise Refused(
                say(
                    "Step {number} of the recipe, {technique}: {reason}",
                    number=number,
                    technique=step.name,
                    reason=reason,
                )
            )
        earlier.append((step.name, earlier[-1][0] if earlier else "baseline"))


def check_agreement(model: ModelDescription, data: DatasetInfo) -> None:
    """Checks that a model can be fed with the data.

    Its output is checked by :func:`workbench.data.outputs.judged_model`.

    Raises:
        InvalidInput: With both sides' shapes.
    """
    if len(model.inputs) != len(data.input_shapes):
        raise InvalidInput(
            say(
                "The model has {inputs} inputs and the data has {arrays}.",
                inputs=len(model.inputs),
                arrays=len(data.input_shapes),
            ),
            say("Name one array per input: x_train.<input name> in an .npz, or a dict of arrays."),
        )
    shapes = list(data.input_shapes.items())
    for spec, (key, shape) in zip(model.inputs, shapes, strict=True):
        given = data.input_shapes.get(spec.name, shape) if key else shape
        fits = len(given) == len(spec.shape) and all(
            wanted in (None, got) for wanted, got in zip(spec.shape, given, strict=True)
        )
        if not fits:
            raise InvalidInput(
                say(
                    "The model's input {name} takes samples of shape {wanted}; the data has {given}.",
                    name=spec.name,
                    wanted=str(tuple("any" if size is None else size for size in spec.shape)).replace(
                        "'", ""
                    ),
                    given=str(tuple(given)),
                ),
                say(
                    "Give the data the shape that the model was trained on, for instance with numpy's "
                    "reshape or transpose; pictures in a folder are resized by themselves."
                ),
            )
