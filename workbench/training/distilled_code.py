"""Plain Keras code of a model that learns from teachers besides the labels."""

from __future__ import annotations

from workbench.api.variant import Variant

LOGITS = '''\
def logits(scores, from_logits):
    """Raw scores of all classes, whatever the head gives."""
    if scores.shape[-1] == 1:  # the score of the second of two classes
        if not from_logits:
            scores = ops.clip(scores, 1e-7, 1 - 1e-7)
            scores = ops.log(scores) - ops.log1p(-scores)
        return ops.concatenate([ops.zeros_like(scores), scores], axis=-1)
    return scores if from_logits else ops.log(ops.maximum(scores, 1e-30))
'''


def soft_targets_code(variant: Variant) -> str:
    """Source of ``Distilled``: it fits a model ``student`` to the labels and to the scores of ``teachers``.

    The script has ``teachers``, a list of (model, whether it gives raw scores), ``temperature`` and
    ``weight`` before it, and ``ops`` of Keras.

    Args:
        variant: What its student gives.
    """
    return f"\n\n{LOGITS}\n{asked_code(False)}{distilled_code(variant)}"


def asked_code(hints: bool) -> str:
    """Source of ``said_by_teachers``, with features of the first teacher or without."""
    if not hints:
        return '''
def said_by_teachers(x):
    """Probabilities at the temperature: the mean over the teachers."""
    soft = [ops.softmax(logits(teacher(x, training=False), raw) / temperature) for teacher, raw in teachers]
    return ops.stop_gradient(sum(soft) / len(soft))
'''
    return '''
def said_by_teachers(x):
    """Probabilities at the temperature, the mean over the teachers, and features of the first one."""
    soft, features = [], []
    for number, (teacher, raw) in enumerate(teachers):
        scores = teacher(x, training=False)
        if not number:
            scores, *features = scores
        soft.append(ops.softmax(logits(scores, raw) / temperature))
    features = [ops.stop_gradient(resized(one, size)) for one, size in zip(features, sizes)]
    return ops.stop_gradient(sum(soft) / len(soft)), features
'''


def distilled_code(variant: Variant, hints: str | None = None, hint_weight: float = 0) -> str:
    """Source of ``Distilled``.

    Args:
        variant: What its student gives.
        hints: How layers are compared with the teacher's: "attention", or anything else through
            projections; None does not compare them.
        hint_weight: What that counts.
    """
    raw = variant.description.from_logits
    if hints is None:
        layers, forward = "self.student = student", "        return self.student(x, training=training)\n"
        targets = "        targets = said_by_teachers(x)\n"
    else:
        projections = hints != "attention"
        layers = "self.student = with_features" + (
            "\n        self.projections = projections" if projections else ""
        )
        if projections:
            losses = (
                "ops.mean(ops.square(project(resized(mine, size)) - wanted)) / variance\n"
                "                for mine, wanted, size, project, variance in zip(\n"
                "                    features, self.wanted, sizes, projections, variances\n"
                "                )\n"
            )
        else:
            losses = (
                "apart(resized(mine, size), wanted)\n"
                "                for mine, wanted, size in zip(features, self.wanted, sizes)\n"
            )
        forward = f"""\
        scores, *features = self.student(x, training=training)
        if training:
            self.targets, self.wanted = said_by_teachers(x)
            losses = [
                {losses}\
            ]
            self.add_loss({hint_weight} * sum(losses) / len(losses))
        return scores
"""
        targets = "        targets = self.targets\n"
    return f'''

class Distilled(keras.Model):
    """Fits the student to the labels and to what its teachers say."""

    def __init__(self):
        super().__init__()
        {layers}

    def call(self, x, training=False):
{forward}\

    def compile(self, *, loss, **others):
        self.label_loss = loss
        super().compile(loss=loss, **others)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if not training:
            return super().compute_loss(x, y, y_pred, sample_weight, training=False)
{targets}\
        own = ops.log_softmax(logits(y_pred, {raw}) / temperature)
        divergence = ops.sum(targets * (ops.log(ops.maximum(targets, 1e-30)) - own), axis=-1)
        labels = self.label_loss(y, y_pred, sample_weight=sample_weight)
        # The square of the temperature keeps the size of the gradient.
        return (1 - weight) * labels + weight * temperature**2 * ops.mean(divergence) + sum(self.losses)
'''
