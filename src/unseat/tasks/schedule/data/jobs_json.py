"""One's own jobs as JSON, plain or compressed with gzip, xz or zstd.

```json
{"unseat": "schedule-jobs", "version": 1,
 "graphs": [{"name": "daily", "template": "report",
             "stages": [{"name": "scan", "tasks": 40, "parents": [], "memory": 0.25, "durations": [900, 1100, 1000]},
                        {"name": "sum", "tasks": 1, "parents": ["scan"],
                         "durations": {"5": {"fresh": [2300], "first": [300], "rest": []}}}]}],
 "jobs": [{"graph": "daily", "at_ms": 0}, {"graph": "daily", "at_ms": 60000}]}
```

- `graphs`: each with a name of its own. `template` is what it is one of, by default its name.
- `stages`: `tasks` that may run at the same time once all `parents` are done, which are named or counted from 0;
  `memory` of a task as a share of the largest executor's, by default 0; `name` if a child names it.
- `durations`: in whole milliseconds. One list holds those of any task. Or for each number of executors that the job
  had, those of tasks of executors that were new to the job (`fresh`), new to the stage (`first`), and neither (`rest`).
- `told` of a stage: what a scheduler is told of its tasks where that is not the means of `durations`, because earlier
  jobs told it: `mean_ms` of any task, and if known those by wave, `fresh_ms`, `first_ms` and `rest_ms`.
- `jobs`: which graph arrives when; if left out, each once at 0.
- `note`: for a person.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from unseat.core.errors import UserError
from unseat.tasks.schedule.data.stream import opened
from unseat.tasks.schedule.engine.graphs import (
    LAST_ARRIVAL_MS,
    LONGEST_MS,
    Arrivals,
    JobGraph,
    Profile,
    Stage,
    Told,
    check_size,
    profile,
)  # fmt: skip
from unseat.tasks.schedule.engine.layout import MOST_TASKS
from unseat.tasks.schedule.engine.library import measured_points

FORMAT, VERSION = "schedule-jobs", 1

MOST_BYTES = 2**26
"""Of JSON at most, unpacked: durations of ten million tasks, or two million jobs. What Python makes of it takes up to
twenty times as much memory, so that a small file that unpacks to more would fill a machine."""
_MOST_NAMES = 10_000

_LIST, _WAVES = "one list", "by executors"

Milliseconds = Annotated[int, Field(ge=1, le=LONGEST_MS)]
Mean = Annotated[float, Field(ge=1, le=LONGEST_MS, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Waves(_Strict):
    fresh: Annotated[list[Milliseconds], Field(fail_fast=True)] = []
    first: Annotated[list[Milliseconds], Field(fail_fast=True)] = []
    rest: Annotated[list[Milliseconds], Field(fail_fast=True)] = []


Executors = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}$")]
Durations = Annotated[
    Annotated[Annotated[list[Milliseconds], Field(min_length=1, fail_fast=True)], Tag(_LIST)]
    | Annotated[Annotated[dict[Executors, _Waves], Field(min_length=1)], Tag(_WAVES)],
    Discriminator(lambda given: _WAVES if isinstance(given, dict) else _LIST),
]


class _Told(_Strict):
    mean_ms: Mean
    fresh_ms: Mean | None = None
    first_ms: Mean | None = None
    rest_ms: Mean | None = None


class _Stage(_Strict):
    name: str = ""
    tasks: int = Field(ge=1, le=MOST_TASKS)
    parents: list[Any] = []
    memory: float = Field(0.0, ge=0.0, le=1.0, allow_inf_nan=False)
    durations: Durations
    told: _Told | None = None


class _Graph(_Strict):
    name: str = Field(min_length=1)
    template: str | None = None
    stages: Annotated[list[_Stage], Field(min_length=1, fail_fast=True)]


class _Job(_Strict):
    graph: str
    at_ms: int = Field(ge=0, le=LAST_ARRIVAL_MS)


class _File(_Strict):
    unseat: Literal["schedule-jobs"]
    version: Literal[1]
    graphs: Annotated[list[_Graph], Field(min_length=1, fail_fast=True)]
    jobs: Annotated[list[_Job], Field(min_length=1, fail_fast=True)] | None = None
    note: str = ""


def read_jobs(path: Path | str) -> Arrivals:
    """Read jobs; those that are not in the order of their arrival are sorted.

    Raises:
        UserError: The file cannot be read, is no such file, or something in it is wrong; the message names the place.
    """
    path = Path(path)
    try:
        return _read(path)
    except MemoryError as error:
        raise UserError(f"{path}: does not fit into this machine's memory; split it into several files") from error


def _read(path: Path) -> Arrivals:
    try:
        read = _File.model_validate(_parsed(path))
    except ValidationError as error:
        raise UserError(f"{path}: {_first(error)}") from error
    stages = [stage for graph in read.graphs for stage in graph.stages]
    with _told_of(path):
        check_size(len(stages), sum(len(stage.parents) for stage in stages))
    places: dict[str, int] = {}
    graphs = []
    for place, graph in enumerate(read.graphs):
        if graph.name in places:
            raise UserError(f"{path}: graphs[{place}].name: {graph.name!r} names another graph too; rename one")
        places[graph.name] = place
        graphs.append(_graph(path, place, graph))
    jobs = []
    for place, job in enumerate(read.jobs or [_Job(graph=graph.name, at_ms=0) for graph in read.graphs]):
        if job.graph not in places:
            raise UserError(f"{path}: jobs[{place}].graph: there is no graph {_short(job.graph)}; name one of `graphs`")
        jobs.append((job.at_ms, places[job.graph]))
    jobs.sort(key=lambda job: job[0])
    with _told_of(path):
        made = Arrivals(tuple(graphs), tuple(graph for _, graph in jobs), tuple(at for at, _ in jobs))
        measured_points([stage for graph in graphs for stage in graph.stages])
    if made.tasks > MOST_TASKS:
        raise UserError(f"{path}: {made.tasks:,} tasks in all, more than this simulator's {MOST_TASKS:,}; split it")
    return made


def write_jobs(path: Path | str, arrivals: Arrivals, note: str = "") -> None:
    """Write jobs; the suffix (.gz, .xz, .zst) chooses a compression.

    Args:
        path: Where to.
        arrivals: The jobs.
        note: For a person who looks into the file.

    Raises:
        UserError: Two graphs have one name, there is more than can be read again, or the file cannot be written.
    """
    path = Path(path)
    twice = next((name for name, n in Counter(graph.name for graph in arrivals.graphs).items() if n > 1), None)
    if twice is not None:
        raise UserError(f"{path}: two graphs are named {twice!r}; rename one")
    content = {
        "unseat": FORMAT,
        "version": VERSION,
        **({"note": note} if note else {}),
        "graphs": [_graph_as_json(graph) for graph in arrivals.graphs],
        "jobs": [{"graph": graph.name, "at_ms": at} for graph, at in arrivals],
    }
    if arrivals.tasks > MOST_TASKS:
        raise UserError(f"{path}: {arrivals.tasks:,} tasks in all, and {MOST_TASKS:,} is the most; write fewer jobs")
    text = json.dumps(content, separators=(",", ":")).encode() + b"\n"
    if len(text) > MOST_BYTES:
        raise UserError(f"{path}: {len(text):,} bytes of JSON, and {MOST_BYTES:,} is the most; write fewer jobs a file")
    try:
        path.write_bytes(_packed(path, text))
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from error


def _graph(path: Path, place: int, graph: _Graph) -> JobGraph:
    stages = []
    named: dict[str, list[int]] = {}
    for number, stage in enumerate(graph.stages):
        named.setdefault(stage.name, []).append(number)
    for number, stage in enumerate(graph.stages):
        where = f"{path}: graphs[{place}].stages[{number}]"
        parents = tuple(_parent(f"{where}.parents[{at}]", parent, named, len(graph.stages))
                        for at, parent in enumerate(stage.parents))  # fmt: skip
        profiles = _profiles(f"{where}.durations", stage.durations)
        stages.append(Stage(stage.tasks, parents, profiles, stage.memory, stage.name, _told(stage.told)))
    with _told_of(f"{path}: graphs[{place}]"):
        return JobGraph(graph.name, graph.template or graph.name, tuple(stages))


def _parent(where: str, parent: Any, named: dict[str, list[int]], count: int) -> int:
    if isinstance(parent, str):
        found = named.get(parent, [])
        if len(found) == 1:
            return found[0]
        how = "no stage is" if not found else f"{len(found)} stages are"
        raise UserError(f"{where}: {how} named {_short(parent)}; name one, or give its place from 0")
    if type(parent) is not int or not 0 <= parent < count:
        raise UserError(f"{where}: {_short(parent)} is no stage; give a name, or a place from 0 to {count - 1}")
    return parent


def _told(told: _Told | None) -> Told | None:
    if told is None:
        return None
    by_wave = (told.mean_ms if mean is None else mean for mean in (told.fresh_ms, told.first_ms, told.rest_ms))
    return Told(told.mean_ms, *by_wave)


def _profiles(where: str, durations: list[int] | dict[str, _Waves]) -> tuple[Profile, ...]:
    if isinstance(durations, list):
        return (profile(1, [], durations, durations),)
    for executors, waves in durations.items():
        if not waves.fresh and not waves.first:
            raise UserError(f"{where}.{executors}: no duration of a first task; give some in `fresh` or `first`")
    ordered = sorted((int(executors), waves) for executors, waves in durations.items())
    return tuple(profile(executors, waves.fresh, waves.first, waves.rest) for executors, waves in ordered)


@contextmanager
def _told_of(where: Path | str) -> Iterator[None]:
    """What is wrong is told with its place."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def _parsed(path: Path) -> Any:
    with opened(path) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UserError(f"{path}: more than {MOST_BYTES:,} bytes of JSON once unpacked; split it into several files")

    def refuse(constant: str) -> NoReturn:
        raise UserError(f"{path}: holds {constant}, which is no number in JSON; give numbers only")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(pairs) > _MOST_NAMES:
            raise UserError(
                f"{path}: an object gives {len(pairs):,} names, and no object of jobs has so many; correct it"
            )
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
            raise UserError(f"{path}: an object gives {_short(twice)} twice; take one out")
        return found

    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=refuse, object_pairs_hook=unique)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not text; byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        end = "it is truncated" if error.pos >= len(content.rstrip()) - 1 else "correct it there"
        raise UserError(f"{path}: not JSON: line {error.lineno}, column {error.colno}: {error.msg}; {end}") from error
    except RecursionError as error:
        raise UserError(f"{path}: nested too deeply for a file of jobs") from error
    except ValueError as error:  # an integer of more digits than Python reads
        raise UserError(f"{path}: {str(error).split(';')[0]}; give smaller numbers") from error


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, as `graphs[3].stages[1].tasks: ...`."""
    found = error.errors(include_url=False)[0]
    place = ""
    for part in found["loc"]:
        if isinstance(part, int):
            place += f"[{part}]"
        elif part not in (_LIST, _WAVES, "[key]"):
            place += f".{part}" if place else str(part)
    if found["type"] == "missing":
        return f"{place}: missing; give it"
    if found["type"] == "extra_forbidden":
        return f"{place}: not a name of this format; take it out or correct it"
    given = "" if found["type"] in ("too_short", "model_type") else f", not {_short(found['input'])}"
    return f"{place or 'the file'}: {found['msg'][0].lower()}{found['msg'][1:]}{given}; correct it"


def _short(value: Any) -> str:
    try:
        text = json.dumps(value)
    except ValueError:
        text = "a huge number"
    return text if len(text) <= 60 else text[:57] + "..."


def _graph_as_json(graph: JobGraph) -> dict[str, Any]:
    return {"name": graph.name, "template": graph.template, "stages": [_stage_as_json(stage) for stage in graph.stages]}


def _stage_as_json(stage: Stage) -> dict[str, Any]:
    named: dict[str, Any] = {"name": stage.name} if stage.name else {}
    needs = {"memory": stage.memory} if stage.memory else {}
    durations = {
        str(one.executors): {
            name: wave.tolist() for name, wave in zip(("fresh", "first", "rest"), one.waves(), strict=True) if wave.size
        }
        for one in stage.profiles
    }
    told = {} if stage.told is None else {"told": asdict(stage.told)}
    return {**named, "tasks": stage.tasks, "parents": list(stage.parents), **needs, "durations": durations, **told}


def _packed(path: Path, content: bytes) -> bytes:
    if path.suffix == ".gz":
        with io.BytesIO() as target:
            with gzip.GzipFile(fileobj=target, mode="wb", mtime=0) as file:
                file.write(content)
            return target.getvalue()
    if path.suffix == ".xz":
        return lzma.compress(content)
    if path.suffix == ".zst":
        import zstandard

        return bytes(zstandard.ZstdCompressor().compress(content))
    return content
