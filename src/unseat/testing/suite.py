"""The suite as a pytest class: a plug-in inherits it, gives its task, and is held against the whole contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from unseat.core.learner import Learner
from unseat.core.policy import Policy
from unseat.core.task import Instance, Task
from unseat.testing import base
from unseat.testing.answers import WRONG, check_answers, check_reports
from unseat.testing.causality import check_causality, watched
from unseat.testing.environment import check_environment
from unseat.testing.fits import check_fits, check_study
from unseat.testing.process import check_killed_fit, check_other_process
from unseat.testing.questions import check_questions
from unseat.testing.runs import (
    check_baselines,
    check_bounds,
    check_deadline,
    check_determinism,
    check_failures,
    check_immutable,
    check_no_memory,
    check_problem,
)
from unseat.testing.static import check_card, check_contenders, check_instances


class TaskSuite:
    """Holds a task against the contract.

    Inherit it in a test module and give one fixture::

        class TestMyTask(TaskSuite):
            @pytest.fixture
            def task(self) -> Task:
                return MyTask()

    Hooks that may be overridden: `instances`, `policies`, `learners`, `failures`, `wrong_answers`, `twin_problems` and
    `decisions`.
    A test that the task gives no ground for is skipped, and says why.
    """

    fit_runs = 12

    def instances(self, task: Task) -> Sequence[Instance]:
        """What the checks run on: a few instances of the quick suite, the first of them most often."""
        return base.some(task)

    def policies(self, task: Task) -> Mapping[str, Policy]:
        """What the checks run: every contender that needs no fit here."""
        return base.policies(task)

    def learners(self, task: Task) -> Mapping[str, Learner]:
        """What is fitted: every contender that is a learner and needs no extra."""
        return base.learners(task)

    def failures(self, task: Task) -> Mapping[str, Policy] | None:
        """Policies that fail, by what they do; those of `unseat.testing.players` if None."""
        return None

    def wrong_answers(self, task: Task) -> Sequence[Any]:
        """What is no answer to any problem, where the task takes whole answers."""
        return WRONG

    def twin_problems(self, task: Task) -> tuple[Any, Any, int] | None:
        """Two problems and a number of decisions, after which they differ; see `check_causality`."""
        return None

    def decisions(self, task: Task, problem: Any, policy: Policy, moment: int) -> Sequence[Any] | None:
        """What a policy decided up to a moment; override it to watch policies that are not in Python."""
        return watched(task, problem, policy, moment)

    def test_card(self, task: Task) -> None:
        """The card is valid and names only what exists."""
        check_card(task)

    def test_contenders(self, task: Task) -> None:
        """Incumbents, baselines and random search are listed, under their names and in their roles."""
        check_contenders(task)

    def test_instances(self, task: Task) -> None:
        """Instances are stable, ids unique, groups in one split only, weights above zero."""
        check_instances(task)

    def test_determinism(self, task: Task) -> None:
        """The same seed gives the same outcome, to the bit; of a timed task all but the times."""
        self._only_if(task.card.repeatability != "answer", "the card says answer")
        check_determinism(task, self.policies(task), self.instances(task))

    def test_no_memory(self, task: Task) -> None:
        """No state passes from one run to another."""
        self._only_if(task.card.repeatability == "exact", "the card does not say exact")
        check_no_memory(task, self.policies(task), self.instances(task))

    def test_immutable(self, task: Task) -> None:
        """Running changes no policy."""
        check_immutable(task, self.policies(task), self.instances(task))

    def test_problem(self, task: Task) -> None:
        """Running changes no problem, even if the policy tries."""
        check_problem(task, self.policies(task), self.instances(task))

    def test_bounds(self, task: Task) -> None:
        """No policy beats a bound."""
        self._only_if(bool(base.bounders(task)), "the task lists no bound that is proven")
        check_bounds(task, self.policies(task), self.instances(task))

    def test_baselines(self, task: Task) -> None:
        """No unlisted constant or random policy wins."""
        self._only_if(base.asks_python(task), "the question has no space of actions")
        check_baselines(task, self.policies(task), self.instances(task))

    def test_failures(self, task: Task) -> None:
        """Policies that fail are counted, with the failure value."""
        check_failures(task, self.failures(task), self.instances(task))

    def test_deadline(self, task: Task) -> None:
        """A run ends at its time limit."""
        self._only_if(base.asks_python(task), "the question has no space of actions")
        check_deadline(task, self.instances(task))

    def test_answers(self, task: Task) -> None:
        """Whole answers are scored the same whenever they are scored, and what is none is refused."""
        self._only_if(base.takes_answers(task), "the task takes no whole answers")
        check_answers(task, self.policies(task), self.instances(task), self.wrong_answers(task))

    def test_reports(self, task: Task) -> None:
        """At the deadline the last valid report counts, and nothing that came later."""
        self._only_if(base.takes_answers(task), "the task takes no whole answers")
        check_reports(task, self.instances(task))

    def test_questions(self, task: Task) -> None:
        """A policy is asked what it answers, as every agent; the task's default has the other questions."""
        agents = sum(question.agents for question in task.questions.values())
        self._only_if(agents > 1, "one agent is asked one question")
        check_questions(task, self.instances(task))

    def test_causality(self, task: Task) -> None:
        """Decisions before two problems differ are identical."""
        twins = self.twin_problems(task)
        self._only_if(twins is not None, "twin_problems() gives none")
        assert twins is not None
        check_causality(task, twins, self.policies(task), self.decisions)

    def test_environment(self, task: Task) -> None:
        """The environment passes Gymnasium's or PettingZoo's checker, and its episode is the run."""
        self._only_if(base.asks_python(task), "the question has no spaces, so there is no environment")
        check_environment(task, list(self.instances(task)))

    def test_other_process(self, task: Task) -> None:
        """A saved policy decides the same in another process."""
        check_other_process(task, self.policies(task), self.instances(task))

    def test_fits(self, task: Task) -> None:
        """Fits keep their limits, leave their best so far and can be repeated."""
        check_fits(task, self.learners(task), self.fit_runs)

    def test_study(self, task: Task) -> None:
        """A study refuses instances of the test split."""
        check_study(task)

    def test_killed_fit(self, task: Task) -> None:
        """A killed fit yields its last proposal."""
        check_killed_fit(task, self.learners(task))

    @staticmethod
    def _only_if(holds: bool, reason: str) -> None:
        if not holds:
            pytest.skip(f"does not apply: {reason}")
