"""How much longer a job takes, from how fast its progress came lately."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 20.0
"""What was before says little: reading a model and tracing it show no progress, the epochs after it do."""
_LEAST_SEEN = 0.1
"""Share of a phase that must have been seen before anything is said."""
_LEAST_LATE_S = 5.0
_LATE = 0.25
"""A job is late if its end has moved by more than so much of the whole."""
_MEASURING_S = 30.0
"""What follows the last long phase is measuring, which takes no longer because making took long."""


class Pace:
    """Extrapolates within a phase from its last seconds, and beyond it from the job as a whole.

    Args:
        began: When the job began, seconds of any clock.
        expected: How long it was expected to take; None where nothing was.
        even: Whether its progress was shared out by expected times, so that the whole of it says more than
            the last seconds.
    """

    def __init__(self, began: float, expected: float | None = None, *, even: bool = False) -> None:
        self._began = began
        self._even = even
        self._expected = expected
        self._promised: float | None = None if expected is None else began + expected
        self.late = False
        """Whether the time left is now said to be longer than it was said to be before."""
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
        if self._promised is not None:
            self._promised += seconds
        self._seen = deque((at + seconds, progress) for at, progress in self._seen)

    def seconds_left(self, now: float, progress: float) -> float | None:
        """The time left.

        Args:
            now: Seconds of the same clock.
            progress: Share of the job done, 0 to 1.

        Returns:
            What was expected, as long as too little of the phase was seen; None where nothing was.
        """
        left = self._as_expected(now, progress) if self._even else self._extrapolated(now, progress)
        if left is None:
            return self.expected_left(now)
        end = now + left
        if self._promised is not None:
            slack = max(_LEAST_LATE_S, _LATE * (self._promised - self._began))
            self.late = end > self._promised + slack
        self._promised = end if self._promised is None else min(self._promised, end)
        return left

    def at_once(self, now: float, progress: float) -> float | None:
        """The time left where a phase begins, of which nothing was seen yet."""
        return self.seconds_left(now, progress) if self._even else self.expected_left(now)

    def expected_left(self, now: float) -> float | None:
        """The time left by what was expected; None where nothing was, or where that time is over."""
        if self._expected is None:
            return None
        left = self._began + self._expected - now
        self.late = self.late or left <= 0
        return left if left > 0 else None

    def _as_expected(self, now: float, progress: float) -> float | None:
        """What was expected of the rest, corrected by how long the part before it took."""
        if not self._expected or progress <= 0:  # nothing was expected where all is there already
            return None
        slower: float = (now - self._began) / (self._expected * progress)
        # The more has been done, the more it says of the rest.
        correction: float = max(slower, 0.1) ** min(1.0, 2 * progress)
        return self._expected * (1 - progress) * correction

    def _extrapolated(self, now: float, progress: float) -> float | None:
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
