"""The inliner's one question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.policy import Asker, Question, Session, Signature, View
from unseat.tasks.llvm.engine.channel import Answer, Header

FEATURES = (
    "sroa_savings", "sroa_losses", "load_elimination", "call_penalty", "call_argument_setup",
    "load_relative_intrinsic", "lowered_call_arg_setup", "indirect_call_penalty", "jump_table_penalty",
    "case_cluster_penalty", "switch_default_dest_penalty", "switch_penalty", "unsimplified_common_instructions",
    "num_loops", "dead_blocks", "simplified_instructions", "constant_args", "constant_offset_ptr_args",
    "callsite_cost", "cold_cc_penalty", "last_call_to_static_bonus", "is_multiple_blocks", "nested_inlines",
    "nested_inline_cost_estimate", "threshold", "callee_basic_block_count", "callsite_height", "node_count",
    "nr_ctant_params", "cost_estimate", "edge_count", "caller_users", "caller_conditionally_executed_blocks",
    "caller_basic_block_count", "callee_conditionally_executed_blocks", "callee_users",
    "is_callee_avail_external", "is_caller_avail_external", "inlining_default",
)  # fmt: skip
"""LLVM's names (`Analysis/InlineModelFeatureMaps.h`), in the order of an observation; the last is its own advice."""

COST = FEATURES.index("cost_estimate")
ADVICE = FEATURES.index("inlining_default")

QUESTION = "inline"

_TEXT = "Is the body of the called function put in the place of this call?"
_LARGEST = 1 << 62


def inline() -> Question:
    """Observation: int64 [39], LLVM's features of a call (`FEATURES`); action: 1 to inline it, 0 to leave it."""
    from gymnasium.spaces import Box, Discrete

    return Question(
        text=_TEXT,
        observation=Box(-_LARGEST, _LARGEST, (len(FEATURES),), np.int64),
        action=Discrete(2),
        kernel=Signature({"features": f"int64[{len(FEATURES)}]: {', '.join(FEATURES)}"}, "int: 1 to inline, 0 not to"),
    )


class _Bit:
    """What `Discrete(2)` contains, without Gymnasium."""

    def contains(self, action: Any) -> bool:
        return isinstance(action, int | np.integer) and int(action) in (0, 1)


def bare() -> Question:
    """The same question for who only puts it, and must not wait until Gymnasium is imported."""
    space: Any = _Bit()
    return Question(_TEXT, action=space)


def told(module: bytes | None = None, deadline: float | None = None) -> View:
    """What a policy is told beforehand: what the numbers are that it will see, and the module, where it is known."""
    facts: dict[str, Any] = {"features": list(FEATURES)}
    if module is not None:
        facts["module"] = module
    return View(QUESTION, facts, deadline=deadline)


def reader(header: Header) -> Callable[[bytes], NDArray[np.int64]]:
    """What makes observations of the bytes that this compiler sends.

    Raises:
        UserError: It lacks a feature, or sends other things than numbers.
    """
    sent = [tensor.name for tensor in header.features]
    lacking = [name for name in FEATURES if name not in sent]
    if lacking or header.uniform != np.dtype("<i8"):
        what = f"does not send {lacking[0]}" if lacking else "sends features that are no int64"
        raise UserError(f"this LLVM {what}; install a newer one: pip install 'unseat[llvm]'")
    if sent == list(FEATURES):
        return lambda data: np.frombuffer(data, np.int64).copy()
    order = np.array([sent.index(name) for name in FEATURES])
    return lambda data: np.frombuffer(data, np.int64)[order]


class Answering:
    """Answers a compiler's questions by a session, whatever its form, and counts.

    Args:
        asker: Who asks the session.
        plain: Whether its Python answers where it has both: loading a kernel takes longer than compiling a source.

    Attributes:
        inlined: How often the answer was to inline.
    """

    def __init__(self, asker: Asker, plain: bool = False) -> None:
        self.asker, self.inlined = asker, 0
        if plain and type(asker.session).decide is not Session.decide:
            return
        if asker.session.kernel is not None:
            asker.session = Compiled(*asker.session.kernel)

    def begin(self, header: Header) -> Answer:
        """Get ready for a module; see `Channel.serve`."""
        observe, asker = reader(header), self.asker

        def answer(data: bytes) -> int:
            decided = int(asker(observe(data)))
            self.inlined += decided
            return decided

        return answer


class Compiled(Session):
    """A kernel as a session that is asked."""

    def __init__(self, function: Callable[..., Any], arrays: tuple[NDArray[Any], ...]) -> None:
        self.function, self.arrays = function, arrays

    def decide(self, observation: NDArray[np.int64]) -> Any:
        """Call the kernel; who asks checks the answer, as that of any session."""
        return self.function(observation, *self.arrays)
