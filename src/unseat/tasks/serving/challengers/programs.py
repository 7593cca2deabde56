"""What serving lets be programmed: a score for the requests that wait, of which the highest go first.

The start is the shortest prompt first, the incumbent that a score of one feature can say. Who is refused, where a
request goes and how large a batch is are answered as `adaptive` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseat.core.policy import Form, InvalidAnswer, Policy, Session, View
from unseat.sandbox.bytecode import registers
from unseat.sandbox.program import compiled
from unseat.sandbox.programs import Offer
from unseat.tasks.serving.challengers import settings
from unseat.tasks.serving.cluster import Serving
from unseat.tasks.serving.engine import programs as engine
from unseat.tasks.serving.engine.features import PLACE, REQUEST, F
from unseat.tasks.serving.engine.layout import Float64, Int32, State
from unseat.tasks.serving.policies import QUESTIONS, Fused, RuleOf
from unseat.tasks.serving.problem import Problem, Requests

TEXT = (
    "Requests wait at a replica of a language model's server for their place in the next batch. Give each a score from "
    "what is known of it and of the replica: those with the highest scores go first, as many as the batch has room "
    "for. A request must have its first token within an objective, and its other tokens in time. The highest rate at "
    "which nine in ten requests meet both is sought; more is better."
)
SEED = 0
"""Of the engine's draws where programs are tried: choices are replayed on the same."""

MEANING = {
    "waited": "how long it has waited, in objectives of time to first token",
    "to compute": "tokens of its prompt that are to be computed, over 8,192",
    "to compute, log": "their base-2 logarithm, over 16",
    "expected output, log": "always 0.5 here",
    "cached": "share of its prompt that is in the replica's cache",
    "slack": "what would be left of its objective if its prompt were computed at once, in objectives",
    "late": "1 if nothing would, else 0",
    "begun": "1 if it was preempted and has tokens already, else 0",
    "waiting": "seconds of prompts that are to be computed at the replica, in objectives",
    "decoding": "share of the replica's seats that decode",
    "memory": "share of its cache that is in use",
    "pace": "an iteration of those that decode, in objectives of time per token",
    "filling": "prompts that are begun, over 8",
}


def arguments() -> dict[str, str]:
    """Name to meaning of each feature, in the engine's order."""
    return {re.sub(r"\W+", "_", name): MEANING[name] for name in (*REQUEST, *PLACE)}


def offer() -> Offer:
    """What `unseat evolve serving` starts from."""
    start = f"def score({', '.join(arguments())}):\n    return 0 - to_compute\n"
    module = "unseat.tasks.serving.challengers.programs"
    return Offer("score", TEXT, arguments(), engine.ROWS, start, f"{module}:chosen_by", f"{module}:warm", share, replay,
                 ("expected_output_log",), elite=elite, make=Ordering)  # fmt: skip


def others() -> Float64:
    """The settings by which everything but the order is answered."""
    policy = settings.adaptive(settings.BEGIN)
    assert isinstance(policy, RuleOf)
    return policy.vector


def share(problem: Problem) -> Mapping[str, Any]:
    """A problem as JSON and arrays. The future is in it: what was made of that would have to be said in choices."""
    return {**problem.requests._asdict(), "serving": dict(problem.serving.facts()), "settings": others(),
            "begin_rate": problem.begin_rate, "attainment": problem.attainment, "steps": problem.steps}  # fmt: skip


def problem_of(shared: Mapping[str, Any]) -> Problem:
    """The problem that `share` was given."""
    requests = Requests(*(shared[name] for name in Requests._fields))
    return Problem(requests, Serving(**shared["serving"]), shared["begin_rate"], shared["attainment"], shared["steps"])


def chosen_by(code: Int32, constants: Float64, problems: Mapping[str, Mapping[str, Any]]) -> dict[str, engine.Choices]:
    """Who goes first by a program while the goodput of problems is sought, for the sandbox.

    Args:
        code: int32 [n, 4], a program of `unseat.sandbox.bytecode`.
        constants: float64 [m].
        problems: By name: what `share` gives.

    Returns:
        By name: int8 [choices], of all runs of the search one behind the other: for each batch for which several wait,
        the rows that go first.
    """
    register = registers(F, len(constants), len(code), engine.ROWS)

    def play(s: State, p: Float64, v: engine.Room, chosen: engine.Choices, made: int) -> tuple[engine.Choices, int]:
        return engine.play_program(s, p, v, code, constants, register, chosen, made)

    return {name: _sought(problem, play) for name, problem in problems.items()}


def _sought(shared: Mapping[str, Any], play: Callable[..., tuple[engine.Choices, int]]) -> engine.Choices:
    """The choices of a program while the goodput is sought."""
    problem, v, chosen, made = problem_of(shared), engine.room(), np.zeros(1024, np.int8), 0

    def run(s: State) -> None:
        nonlocal chosen, made
        chosen, made = play(s, shared["settings"], v, chosen, made)

    problem.goodput(run, SEED, problem.attainment)
    return chosen[:made]


def warm() -> None:
    """Compile what `chosen_by` needs."""
    from unseat.tasks.serving import generators

    problem = Problem(generators.generate("chat", 8, 0), Serving(replicas=2, chunk=generators.CHUNK))
    shared = share(problem)
    made = chosen_by(np.zeros((1, 4), np.int32), np.zeros(0), {"x": shared})["x"]
    engine.do_again(problem.begin(0, 1e3), shared["settings"], engine.room(), made, 0)


def elite(choose: Callable[..., int], problem: Problem) -> Any:
    """Who goes first by a compiled program, as choices."""

    def play(s: State, p: Float64, v: engine.Room, chosen: engine.Choices, made: int) -> tuple[engine.Choices, int]:
        done: tuple[engine.Choices, int] = engine.play_compiled(s, p, v, choose, chosen, made)
        return done

    return _sought(share(problem), play)


def replay(problem: Problem, actions: Any) -> float:
    """The goodput by choices, sought outside.

    Raises:
        InvalidAnswer: They are not rows that differ for each batch.
    """
    if not isinstance(actions, np.ndarray) or actions.dtype != np.int8 or actions.ndim != 1:
        raise InvalidAnswer("actions of serving are int8 [choices]")
    made, v, p = 0, engine.room(), others()

    def play(s: State) -> None:
        nonlocal made
        made = engine.do_again(s, p, v, actions, made)
        if made < 0:
            raise InvalidAnswer("there are too few choices" if made == engine.TOO_FEW else "a choice is no row that "
                                "is left")  # fmt: skip

    value = problem.goodput(play, SEED, problem.attainment)
    if made != len(actions):
        raise InvalidAnswer(f"{len(actions)} choices, of which {made} were asked for")
    return value


@dataclass(frozen=True)
class Ordering(Policy):
    """A program at work.

    Attributes:
        name: Its name in tables.
        source: A function of the safe subset.
    """

    form: ClassVar[Form] = Form.PROGRAM
    questions = QUESTIONS
    name: str
    source: str

    def start(self, view: View, seed: int) -> Session:
        """Check and compile to instructions; takes about a millisecond."""
        code = compiled(self.source, tuple(arguments()))
        register = registers(F, len(code.constants), len(code.code), engine.ROWS)
        p, v, chosen = others(), engine.room(), np.zeros(1024, np.int8)

        def play(s: State) -> None:
            engine.play_program(s, p, v, code.code, code.constants, register, chosen, 0)

        return Fused(play)
