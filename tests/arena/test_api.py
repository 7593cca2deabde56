"""The API against its own description: whatever is sent, nothing is a fault of the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings

pytest.importorskip("schemathesis", reason="no Schemathesis here; pip install schemathesis")

import schemathesis
from tests.arena.conftest import archive, cheap

from unseat.arena import accounts, queue, tracks
from unseat.arena.database import Database, moment
from unseat.arena.server.app import create_app
from unseat.arena.server.security import Limiter


@schemathesis.serializer("application/zip")
def zipped(context: Any, value: Any) -> bytes:
    """An archive is sent as it is: whatever bytes were drawn."""
    return value if isinstance(value, bytes) else getattr(value, "data", None) or str(value).encode()


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, str], str]]:
    """An application with a track, somebody's token, and a submission."""
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        cheap(patch)
        patch.setattr(Limiter, "allows", lambda *_, **__: True)
        database = Database(folder / "arena")
        tracks.create(database, tracks.Spec.model_validate({
            "slug": "tiny", "title": "Tiny", "task": "tests.arena.tiny:Tiny", "suite": "quick", "split": "valid",
            "starts": "2024-01-01T00:00:00Z", "ends": "2090-01-01T00:00:00Z", "per_day": 100_000}))  # fmt: skip
        with database.write() as connection:
            user = accounts.create(connection, "Ada", "long enough", "participant", moment(connection))
            word = accounts.make_token(connection, user.id, "test", moment(connection))
        made = queue.submit(database, user.id, "tiny", "first", archive())
        yield create_app(database), {"authorization": f"Bearer {word}"}, made
        database.close()


@pytest.fixture(scope="module")
def schema(arena: tuple[Any, dict[str, str], str]) -> Any:
    """What the API says of itself."""
    return schemathesis.openapi.from_asgi("/api/openapi.json", arena[0])


def test_the_api_as_it_is_described(schema: Any, arena: tuple[Any, dict[str, str], str]) -> None:
    """Red: a request that the description allows, or does not, is a fault of the server."""
    application, head, made = arena
    seen: set[int] = set()

    for found in schema.get_all_operations():

        @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=found.ok().as_strategy())
        def every(case: Any) -> None:
            answers = [case.call(), case.call(headers=head)]
            for name, real in (("slug", "tiny"), ("number", made)):
                if name in case.path_parameters:
                    case.path_parameters[name] = real
                    answers.append(case.call(headers=head))
            seen.update(answer.status_code for answer in answers)
            assert all(answer.status_code < 500 for answer in answers)

        every()
    # What was sent got past the door: some of it was found, some was refused.
    assert {200, 404, 401} <= seen
    assert TestClient(application).get("/readyz").status_code == 200


def test_the_description_names_what_is_there(arena: tuple[Any, dict[str, str], str], schema: Any) -> None:
    """Red: the API describes pages, or leaves a way of its own out."""
    paths: Callable[[], Any] = TestClient(arena[0]).get("/api/openapi.json").json
    assert set(paths()["paths"]) == {"/api/tracks", "/api/tracks/{slug}", "/api/tracks/{slug}/board",
                                     "/api/tracks/{slug}/submissions", "/api/submissions/{number}"}  # fmt: skip
