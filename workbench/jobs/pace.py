"""How much longer a job takes, from how fast its progress came lately."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 20.0
"""What was before says little: reading a model and tracing it show no progress, the epochs after it do."""
_LEAST_SEEN = 0.1
"""Share of a phase that must have been seen before anything is said."""
_MEASURING_S = 30.0
"""What follows the last long phase is measuring, which takes no longer because making took long."""


class Pace:
    """Extrapolates within a phase from its last seconds, and beyond it from the job as a whole.

    Args:
        began: When the job began, seconds of any clock.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._start, self._end = 0.0, 1.0
        self._seen: deque[tuple[float, float]] = deque()

    def phase(self, start: float, end: float) -> None:
        """Another phase has begun, which may have another pace.

        Args:
            start: Share of the job done before it, 0 to 1.
            end: Share of the job done after it.
        """
        self._start, self._end = start, end
        self._seen.clear()

    def waited(self, seconds: float) -> None:
        """Leaves out a time in which the job could not go on."""
        self._began += seconds
        self._seen = deque((at + seconds, progress) for at, progress in self._seen)

    def seconds_left(self, now: float, progress: float) -> float | None:
        """The time left.

        Args:
            now: Seconds of the same clock.
            progress: Share of the job done, 0 to 1.

        Returns:
            None as long as too little of the phase was seen.
        """
        self._seen.append((now, progress))
        while len(self._seen) > 2 and self._seen[1][0] <= now - _WINDOW_S:
            self._seen.popleft()
        since, before = self._seen[0]
        done = progress - before
        width = self._end - self._start
        if done <= 0 or done + (before - self._start) < _LEAST_SEEN * width or now <= since:
            return None
        rest = max(0.0, self._end - progress) * (now - since) / done
        return rest + self._later(now - self._began + rest)

    def _later(self, until_end: float) -> float:
        """What follows this phase, which ends so many seconds after the job began."""
        share = 1 - self._end
        if share <= 0 or self._end <= 0:
            return 0.0
        as_before = share * until_end / self._end
        return min(as_before, _MEASURING_S) if self._end >= 0.5 else as_before
