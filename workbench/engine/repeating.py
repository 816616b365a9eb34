"""Asks a workbench again for what a job was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.advisor.demands import Demands
from workbench.api.recipe import Recipe
from workbench.engine.goal import Goal
from workbench.engine.sources import HandedModel
from workbench.jobs.job import Job
from workbench.jobs.state import JobKind

if TYPE_CHECKING:
    from workbench.workbench import Workbench


def ask_again(workbench: Workbench, kind: JobKind, request: dict[str, Any]) -> Job:
    """Starts the job that a request was for, as a new one.

    Args:
        workbench: Whose job it was.
        kind: What it was.
        request: What was kept of the call, as ``JobState.request`` has it.
    """
    if kind == "open":
        return workbench.open(
            HandedModel.again(request),
            request["data"],
            name=request["name"],
            trust=request["trust"],
            scaling=request["scaling"],
            label=request.get("label"),
            task=request.get("tasks") or request.get("task"),
            weights=request.get("weights"),
            ignore_label=request.get("ignore_label"),
            output=request.get("output"),
            from_logits=request.get("from_logits"),
            classes=request.get("classes"),
            only_classes=request.get("only_classes"),
            test_fraction=request.get("test_fraction"),
            validation_fraction=request.get("validation_fraction"),
            samples=request.get("samples"),
            steps=request.get("steps"),
            limit_gib=limit / 2**30 if (limit := request.get("limit_bytes")) else None,
        )
    if kind == "compare":
        return workbench.add(
            HandedModel.again(request),
            name=request["name"],
            trust=request["trust"],
            output=request.get("output"),
            from_logits=request.get("from_logits"),
        )
    if kind == "find":
        return workbench.find(Goal.model_validate(request["goal"]), training=request["training"])
    if kind == "advise":
        return workbench.advise_for(Demands.model_validate(request["demands"])).job
    if kind == "inside":
        return workbench.inside(request["variant"], request["against"]).job
    if kind == "forgotten":
        return workbench.forgotten(request["variant"], request["against"]).job
    if kind == "measure":
        return workbench.measure(request["variants"], request["protocol"])
    again = bool(request.get("again"))
    if "recipe" in request:
        return workbench.run(Recipe.from_yaml(request["recipe"]), request["parent"], again=again)
    return workbench.apply(request["technique"], request["parent"], again=again, **request["parameters"])
