"""What changed class by class: F1 before and after, and where predictions moved."""

from __future__ import annotations

from typing import Any

from widgets.charts.chart import BLUE, GREY, chart, column, plain
from widgets.wording import points, score, short, signed
from workbench.api.text import say
from workbench.measure.records import Details

_MOST_NUMBERED_CLASSES = 15


def class_figure(details: Details) -> dict[str, Any]:
    """F1 of each class before and after, joined by a line."""
    classes = details.measured
    places = list(range(len(classes)))
    f1_before, f1_after = ([f1[one] for one in classes] for f1 in (details.f1_before, details.f1_after))
    lines_x: list[float | None] = []
    lines_y: list[float | None] = []
    for place, before, after in zip(places, f1_before, f1_after, strict=True):
        lines_x += [before, after, None]
        lines_y += [place, place, None]
    names = [plain(details.classes[one], 20) for one in classes]
    hover = [
        f"<b>{name}</b><br>{score(before)} → {score(after)}"
        for name, before, after in zip(names, f1_before, f1_after, strict=True)
    ]
    joined = {
        "type": "scatter",
        "mode": "lines",
        "x": lines_x,
        "y": lines_y,
        "hoverinfo": "skip",
        "showlegend": False,
    }
    dots = {"type": "scatter", "mode": "markers", "y": places, "hovertext": hover, "hoverinfo": "text"}
    return {
        "data": [
            {**joined, "line": {"color": GREY, "width": 1.5}},
            {
                **dots,
                "x": f1_before,
                "name": str(say("before")),
                "marker": {"symbol": "circle-open", "size": 10, "color": GREY, "line": {"width": 2}},
            },
            {
                **dots,
                "x": f1_after,
                "name": str(say("after")),
                "marker": {"size": 9, "color": BLUE},
            },
        ],
        "layout": {
            "xaxis": {"title": {"text": "F1", "font": {"size": 12}}, "zeroline": False},
            "yaxis": {
                "tickmode": "array",
                "tickvals": places,
                "ticktext": names,
                "autorange": "reversed",
                "zeroline": False,
            },
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 8, "r": 12, "t": 26, "b": 4},
        },
    }


def confusion_figure(details: Details) -> dict[str, Any]:
    """Confusion counts after minus before: blue for fewer, vermillion for more."""
    places = list(range(len(details.classes)))
    names = [plain(name, 14) for name in details.classes]
    change = [list(row) for row in details.confusion_change]
    largest = max((abs(value) for row in change for value in row), default=0) or 1
    few = len(places) <= _MOST_NUMBERED_CLASSES
    axis = {
        "tickmode": "array",
        "tickvals": places,
        "ticktext": names,
        "showgrid": False,
        "zeroline": False,
        "constrain": "domain",
    }
    return {
        "data": [
            {
                "type": "heatmap",
                "z": change,
                "zmin": -largest,
                "zmax": largest,
                # BLUE and VERMILLION, thin enough to read words on them, on a dark page too.
                "colorscale": [
                    [0, "rgba(0,114,178,0.55)"],
                    [0.5, "rgba(127,140,152,0.10)"],
                    [1, "rgba(213,94,0,0.55)"],
                ],
                "xgap": 1,
                "ygap": 1,
                "showscale": not few,
                "text": [[signed(value) if value else "" for value in row] for row in change]
                if few
                else None,
                "hovertext": [
                    [
                        f"{name} → {seen}<br><b>{signed(value)}</b>"
                        for seen, value in zip(names, row, strict=True)
                    ]
                    for name, row in zip(names, change, strict=True)
                ],
                "hoverinfo": "text",
                **({"texttemplate": "%{text}"} if few else {}),
            }
        ],
        "layout": {
            "xaxis": {
                **axis,
                "title": {"text": str(say("predicted class")), "font": {"size": 12}},
                "side": "bottom",
                "tickangle": 0 if max(map(len, names), default=0) <= 2 else -45,
            },
            "yaxis": {
                **axis,
                "title": {"text": str(say("true class")), "font": {"size": 12}},
                "autorange": "reversed",
            },
            "margin": {"l": 8, "r": 8, "t": 6, "b": 4},
        },
    }


def class_chart(details: Details) -> dict[str, Any]:
    """Per-class F1 with its table."""
    name = str(say("F1 of each class"))
    changes = {one: details.f1_after[one] - details.f1_before[one] for one in details.measured}
    worst = min(changes, key=changes.__getitem__)
    said = say("No class has lost.")
    if changes[worst] < 0:
        said = say(
            "Largest loss: class {name}, {change} points.",
            name=short(details.classes[worst]),
            change=points(changes[worst]),
        )
        if points(changes[worst]) == "0.0":
            said = say("No class has lost as much as 0.1 points.")
    return chart(
        name,
        class_figure(details),
        str(said),
        [
            column(say("Class")),
            column(say("before"), numeric=True),
            column(say("after"), numeric=True),
            column(say("points"), numeric=True),
        ],
        [
            [
                short(details.classes[one]),
                score(details.f1_before[one]),
                score(details.f1_after[one]),
                points(change),
            ]
            for one, change in changes.items()
        ],
        max(220, min(640, 90 + 22 * len(changes))),
    )


def confusion_chart(details: Details) -> dict[str, Any]:
    """The change of the confusion matrix with its table."""
    name = str(say("Change of the confusion matrix"))
    moved = [
        (true, seen, value)
        for true, row in enumerate(details.confusion_change)
        for seen, value in enumerate(row)
        if value
    ]
    moved.sort(key=lambda one: -abs(one[2]))
    return chart(
        name,
        confusion_figure(details),
        str(say("Counts after minus before; off the diagonal, more is worse.")),
        [column(say("True class")), column(say("Predicted class")), column(say("Change"), numeric=True)],
        [
            [short(details.classes[true]), short(details.classes[seen]), signed(value)]
            for true, seen, value in moved
        ],
        max(260, min(640, 120 + 22 * len(details.classes))),
    )
