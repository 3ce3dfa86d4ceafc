"""The samples that `topk` and `bottomk` keep, ties included, as a binary heap decides them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lokikit.store.logql.vectors import LabelSet

    Sample = tuple[LabelSet, float]


class BestSamples:
    """Keeps the `count` largest of the samples offered, or else the smallest.

    Among equal values the answer depends on how the heap moves its items, so these are the steps
    of Go's `container/heap`; Python's `heapq` moves them otherwise.
    """

    def __init__(self, count: int, *, largest: bool) -> None:
        self._count, self._sign = count, 1 if largest else -1
        self.samples: list[Sample] = []

    def offer(self, sample: Sample) -> None:
        """Keep the sample where there is room, or where it is better than the worst kept."""
        samples = self.samples
        if len(samples) < self._count:
            samples.append(sample)
            self._rise(len(samples) - 1)
        elif math.isnan(samples[0][1]) or self._is_worse(samples[0], sample):
            samples[0], samples[-1] = samples[-1], samples[0]
            samples.pop()
            self._sink()
            samples.append(sample)
            self._rise(len(samples) - 1)

    def _is_worse(self, sample: Sample, other: Sample) -> bool:
        return self._sign * sample[1] < self._sign * other[1]

    def _goes_above(self, sample: Sample, other: Sample) -> bool:
        return math.isnan(sample[1]) or self._is_worse(sample, other)

    def _rise(self, at: int) -> None:
        samples = self.samples
        while at and self._goes_above(samples[at], samples[parent := (at - 1) // 2]):
            samples[at], samples[parent] = samples[parent], samples[at]
            at = parent

    def _sink(self) -> None:
        samples, at = self.samples, 0
        while (child := 2 * at + 1) < len(samples):
            if child + 1 < len(samples) and self._goes_above(samples[child + 1], samples[child]):
                child += 1
            if not self._goes_above(samples[child], samples[at]):
                return
            samples[at], samples[child] = samples[child], samples[at]
            at = child
