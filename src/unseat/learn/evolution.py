"""Evolution strategies: a gradient of a blurred objective, from the objective's values alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass
class EvolutionStrategy:
    """OpenAI's evolution strategy: mirrored samples, differences scaled and clipped, Adam.

    T. Salimans, J. Ho, X. Chen, S. Sidor, I. Sutskever, "Evolution Strategies as a Scalable Alternative to
    Reinforcement Learning", arXiv 1703.03864; D. P. Kingma, J. Ba, "Adam", ICLR 2015. What is proposed is a running
    mean of the parameters (B. T. Polyak, A. B. Juditsky, 1992), which is steadier than the last of them.

    Attributes:
        theta: float32 [n], the parameters.
        sigma: Standard deviation of the samples.
        pairs: Mirrored pairs a generation.
        seed: Of the samples.
        mean: float32 [n], the running mean.
    """

    theta: Float32
    sigma: float = 0.05
    pairs: int = 16
    seed: int = 0
    mean: Float32 = field(init=False)

    def __post_init__(self) -> None:
        self.mean = self.theta.copy()
        self._rng = np.random.default_rng(self.seed)
        self._first, self._second = np.zeros(self.theta.size), np.zeros(self.theta.size)
        self._steps, self._noise = 0, np.zeros((0, self.theta.size), np.float32)

    def ask(self) -> Float32:
        """float32 [2 * pairs, n], the samples to be valued; the second half mirrors the first."""
        self._noise = self._rng.standard_normal((self.pairs, self.theta.size)).astype(np.float32)
        return np.concatenate([self.theta + self.sigma * self._noise, self.theta - self.sigma * self._noise])

    def tell(self, values: Float64, rate: float) -> None:
        """Take a step towards less.

        Only the two values of a pair are compared, so that each pair may be valued on a problem of its own: more
        directions for the same number of runs than all on the same few problems.

        Args:
            values: float64 [2 * pairs], of the samples, less is better.
            rate: Adam's step.
        """
        differences = values[: self.pairs] - values[self.pairs :]
        differences = np.clip(differences / (differences.std() + 1e-12), -3.0, 3.0)
        gradient = differences @ self._noise / self.pairs
        self._steps += 1
        self._first = 0.9 * self._first + 0.1 * gradient
        self._second = 0.99 * self._second + 0.01 * gradient**2
        first = self._first / (1 - 0.9**self._steps)
        second = self._second / (1 - 0.99**self._steps)
        self.theta = (self.theta - rate * first / (np.sqrt(second) + 1e-8)).astype(np.float32)
        self.mean = (0.95 * self.mean + 0.05 * self.theta).astype(np.float32)
