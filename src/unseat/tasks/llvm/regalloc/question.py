"""The register allocator's one question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from numpy.typing import NDArray

from unseat.core.errors import UserError
from unseat.core.policy import Asker, InvalidAnswer, Question, Session, Signature
from unseat.tasks.llvm.engine.channel import Answer, Header
from unseat.tasks.llvm.engine.toolchain import INSTALL

FEATURES = (
    "is_free", "nr_urgent", "nr_broken_hints", "is_hint", "is_local", "nr_rematerializable", "nr_defs_and_uses",
    "weighed_reads_by_max", "weighed_writes_by_max", "weighed_read_writes_by_max", "weighed_indvars_by_max",
    "hint_weights_by_max", "start_bb_freq_by_max", "end_bb_freq_by_max", "hottest_bb_freq_by_max", "liverange_size",
    "use_def_density", "max_stage", "min_stage", "progress",
)  # fmt: skip
"""LLVM's names (`CodeGen/MLRegAllocEvictAdvisor.cpp`), in the order of a row's columns.

``use_def_density`` is the spill weight, of which 1 also stands for infinity: LLVM sends NaN, as it divides by the
largest. Then all finite weights of the observation are 0, which is LLVM's loss. ``progress`` is the same in each row.
"""

MASK = "mask"
ROWS = 33
"""Rows of an observation: a physical register each, in the order in which LLVM would take them, and one more."""

NOTHING = ROWS - 1
"""The last row is the range that wants a register; to answer it is to evict nothing, so that it will be split or
spilled. It is not allowed where the range can be neither."""

_LARGEST = 1e9
_OTHER = f"install another one: {INSTALL}"


def evict() -> Question:
    """Observation: float32 [33, 20] ``ranges`` (`FEATURES`) and int8 [33] ``action_mask``; action: a row."""
    columns = len(FEATURES)
    return Question(
        text="Which live ranges are evicted from their register for the sake of this one?",
        observation=Dict(
            {
                "ranges": Box(-_LARGEST, _LARGEST, (ROWS, columns), np.float32),
                "action_mask": Box(0, 1, (ROWS,), np.int8),
            }
        ),
        action=Discrete(ROWS),
        kernel=Signature(
            {
                "ranges": f"float32[{ROWS}, {columns}], a row a register: {', '.join(FEATURES)}",
                "action_mask": f"int8[{ROWS}]: 1 where the row may be answered",
            },
            f"int: the row whose ranges are evicted, or {NOTHING} to evict nothing",
        ),
    )


Observe = Callable[[bytes], dict[str, NDArray[Any]]]


def reader(header: Header) -> Observe:
    """What makes observations of the bytes that this compiler sends.

    Raises:
        UserError: It lacks a feature, or sends other shapes or types.
    """
    sent = {tensor.name: tensor for tensor in header.features}
    for name in (MASK, *FEATURES):
        if name not in sent:
            raise UserError(f"this LLVM does not send {name}; {_OTHER}")
        tensor, shape = sent[name], (1,) if name == "progress" else (1, ROWS)
        if tensor.shape != shape or tensor.dtype.kind not in "if":
            raise UserError(f"this LLVM sends {name} as {tensor.dtype} {tensor.shape}, not as {shape}; {_OTHER}")

    def observe(data: bytes) -> dict[str, NDArray[Any]]:
        tensors = header.split(data)
        ranges = np.empty((ROWS, len(FEATURES)), np.float32)
        for column, name in enumerate(FEATURES):
            ranges[:, column] = tensors[name].reshape(-1)
        np.nan_to_num(ranges, copy=False, nan=1.0)
        return {"ranges": ranges, "action_mask": tensors[MASK].reshape(-1).astype(np.int8)}

    return observe


class Answering:
    """Answers a compiler's questions by a session, whatever its form, and counts.

    Args:
        asker: Who asks the session.

    Attributes:
        evicted: How often the answer was to evict.
    """

    def __init__(self, asker: Asker) -> None:
        self.asker, self.evicted = asker, 0
        if asker.session.kernel is not None:
            asker.session = Compiled(*asker.session.kernel)

    def begin(self, header: Header) -> Answer:
        """Get ready for a module; see `Channel.serve`."""
        observe, asker = reader(header), self.asker

        def answer(data: bytes) -> int:
            seen = observe(data)
            # What the policy is shown is its own, to be written over as well.
            mask = seen["action_mask"].copy()
            decided = int(asker(seen))
            if not mask[decided]:
                # The compiler would believe it, and crash or make a wrong program.
                raise InvalidAnswer(f"answer {asker.decisions} is {decided}, which is masked: the legal ones are "
                                    f"{np.flatnonzero(mask).tolist()}")  # fmt: skip
            self.evicted += decided != NOTHING
            return decided

        return answer


class Compiled(Session):
    """A kernel as a session that is asked."""

    def __init__(self, function: Callable[..., Any], arrays: tuple[NDArray[Any], ...]) -> None:
        self.function, self.arrays = function, arrays

    def decide(self, observation: dict[str, NDArray[Any]]) -> Any:
        """Call the kernel; who asks checks the answer, as that of any session."""
        return self.function(observation["ranges"], observation["action_mask"], *self.arrays)
