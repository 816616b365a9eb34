"""What a lesson is made of: a prediction that locks, checks, questions, a decision.

::

    from widgets.course import Lesson

    lesson = Lesson("measure-first")
    lesson.predict("size", "How many times smaller will the file be?", unit="×")
"""

from widgets.course.checks import CheckPanel, QuestionPanel
from widgets.course.decision import DecisionPanel
from widgets.course.lesson import Lesson
from widgets.course.prediction import PredictionPanel, Question
from widgets.course.summary import SummaryPanel

__all__ = [
    "CheckPanel",
    "DecisionPanel",
    "Lesson",
    "PredictionPanel",
    "Question",
    "QuestionPanel",
    "SummaryPanel",
]
