"""Which generated queries are measured: a rule on the default plan alone, applied before any hint set was run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseat.core.errors import ContractError, UserError
from unseat.tasks.database.data import loading, templates
from unseat.tasks.database.data import published as published_queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from unseat.tasks.database.query.problem import Session

FILE = Path(__file__).with_name("admitted.json")
PUBLISHED, PUBLISHED_MOST_MS = Path(__file__).with_name("admitted-stats.json"), 1000.0

SCALE = 0.5
LEAST_MS, MOST_MS, MOST_ROWS = 20.0, 300.0, 20_000
"""Milliseconds of CPU time of the default plan, and rows of the result, of a query that is measured."""

BINDINGS, TRIED, TRIED_DRAWN = 2, 5, 3
"""Queries of an instance, and how many draws of its parameters are tried for them; of drawn graphs fewer."""

SEEDS: Mapping[str, tuple[int, ...]] = {"train": (0, 1), "valid": (2,), "test": (3, 4)}
"""Seeds of the data by split, but for drawn graphs: no policy has seen the data that it is judged on."""


@dataclass(frozen=True)
class Admitted:
    """What was admitted, and what was not.

    Attributes:
        draws: ``(template, seed)`` to the draws of its parameters.
        refused: Reason to number of queries.
        templates_refused: Templates and seeds without enough queries.
    """

    draws: Mapping[tuple[str, int], tuple[int, ...]]
    refused: Mapping[str, int]
    templates_refused: int


@lru_cache(maxsize=1)
def admitted() -> Admitted:
    """What `decide` has found, from the package.

    Raises:
        ContractError: Generator or templates have changed since.
    """
    told = json.loads(FILE.read_text(encoding="utf-8"))
    if told["templates"] != _hashes() or told["data"] != loading.digest():
        raise ContractError(f"{FILE.name} is of another generator or other templates; "
                            "run python -m benchmarks.query_admission")  # fmt: skip
    draws = {(name, int(seed)): tuple(kept) for seed, found in told["draws"].items() for name, kept in found.items()}
    return Admitted(draws, told["refused"], told["templates_refused"])


def _hashes() -> dict[str, str]:
    return {name: one.digest for name, one in templates.templates().items()}


def seeds(template: templates.Template) -> tuple[int, ...]:
    """On which data a template is asked."""
    site = template.graph.site
    return SEEDS[template.graph.split] if site is None else (site,)


def decide(connect: Callable[[int], Session], known: Mapping[str, Any]) -> dict[str, Any]:
    """Run the default plans of templates on the data of their splits, and say what is admitted.

    Args:
        connect: A session on a seed's tables.
        known: What was decided before, as `FILE` has it: it stands for every template that is as it was then.
    """
    same = known.get("data") == loading.digest()
    before = {name for name, digest in _hashes().items() if same and known["templates"].get(name) == digest}
    draws: dict[str, dict[str, list[int]]] = {}
    for seed, kept in (known["draws"] if same else {}).items():
        draws[seed] = {name: own for name, own in kept.items() if name in before}
    refused = Counter(known["refused"] if same else {})
    missed = known["templates_refused"] if same else 0
    made = templates.templates()
    fresh = [(seed, made[name]) for name in _hashes() if name not in before for seed in seeds(made[name])]
    for seed in sorted({seed for seed, _ in fresh}):
        session = connect(seed)
        for template in (one for at, one in fresh if at == seed):
            kept = _admitted(session, template, seed, refused)
            if len(kept) == BINDINGS:
                draws.setdefault(str(seed), {})[template.name] = kept
            missed += len(kept) < BINDINGS
    return {"templates": _hashes(), "data": loading.digest(), "draws": draws, "refused": dict(refused),
            "templates_refused": missed}  # fmt: skip


def decide_published(session: Session) -> dict[str, Any]:
    """Run the published queries under the default plan: which are admitted, and which real counts are not true."""
    kept, refused, wrong = [], Counter[str](), []
    for one in published_queries.queries():
        why = _fault(session, one.text, PUBLISHED_MOST_MS)
        refused[why] += bool(why)
        kept += [] if why else [one.name]
        if one.real and session.execute(f"SELECT 1 FROM ({one.text}) x(n) WHERE n = {one.rows}", {}, 60_000).rows != 1:
            wrong.append(one.name)
    return {"data": published_queries.digest(), "admitted": kept, "wrong": wrong,
            "refused": {why: count for why, count in refused.items() if why}}  # fmt: skip


def published() -> Mapping[str, Any]:
    """What `decide_published` has found, from the package.

    Raises:
        UserError: It has not been run, or tables have changed since.
    """
    told: dict[str, Any] = json.loads(PUBLISHED.read_text(encoding="utf-8")) if PUBLISHED.exists() else {"data": ""}
    if told["data"] != published_queries.digest():
        raise UserError("which of the published queries are measured is not decided yet, or for other tables; "
                        "run python -m benchmarks.query_admission --published")  # fmt: skip
    return told


def _admitted(session: Session, template: templates.Template, seed: int, refused: Counter[str]) -> list[int]:
    """The first draws that are admitted; of drawn graphs, of which there are many, fewer are tried."""
    kept: list[int] = []
    for draw in range(TRIED_DRAWN if template.graph.drawn else TRIED):
        why = _fault(session, template.bind(seed, draw))
        if why:
            refused[why] += 1
        else:
            kept.append(draw)
        if len(kept) == BINDINGS:
            break
    return kept


def _fault(session: Session, text: str, most_ms: float = MOST_MS) -> str:
    """Why a query is not admitted; empty if it is."""
    from unseat.tasks.database.engine.connection import StatementError

    try:
        # The first one warms; a wait for the processor is no reason to refuse, so that the limit of time is a wide one.
        first, second = (session.execute(text, {}, 4 * most_ms) for _ in range(2))
    except StatementError:
        return f"more than {most_ms:g} ms"
    took = min(first.cpu_ms, second.cpu_ms)
    if first.digest != second.digest:
        return "its rows differ from run to run"
    if took < LEAST_MS:
        return f"less than {LEAST_MS:g} ms"
    if took > most_ms:
        return f"more than {most_ms:g} ms"
    return f"more than {MOST_ROWS:,} rows" if first.rows > MOST_ROWS else ""
