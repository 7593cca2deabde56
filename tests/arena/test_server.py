"""The server's pages and API: every input is hostile."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from itsdangerous import URLSafeTimedSerializer
from tests.arena.conftest import archive, cheap, end

from unseat.arena import accounts, board, queue, tables
from unseat.arena.accounts import User
from unseat.arena.database import Database, moment
from unseat.arena.packing import MOST_UPLOAD
from unseat.arena.running import set_sign_up
from unseat.arena.server.app import create_app
from unseat.arena.server.security import COOKIE, MOST_BODY, Limiter
from unseat.arena.tracks import Track

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def client(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A browser, as far as cookies go."""
    cheap(monkeypatch)
    with TestClient(create_app(database), follow_redirects=False) as made:
        yield made


def form_token(client: TestClient, page: str = "/sign-in") -> str:
    """The token of a page's forms."""
    found = re.search(r'name="token" value="(\w+)"', client.get(page).text)
    assert found
    return found[1]


def sign_in(client: TestClient, name: str) -> Any:
    """Sign in as somebody that `make_user` made."""
    token = form_token(client)
    return client.post("/sign-in", data={"token": token, "name": name, "password": f"password of {name}"})


def api_token(database: Database, user: User) -> dict[str, str]:
    """The header of an API token."""
    with database.write() as connection:
        word = accounts.make_token(connection, user.id, "test", moment(connection))
    return {"authorization": f"Bearer {word}"}


def scored(database: Database, submission: str, values: dict[int, float]) -> None:
    """Let a job be done."""
    while (taken := queue.take(database, "test")) is not None:
        run = {"key": "k" * 64, "task": "tiny-v0", "contender": "x", "role": taken.role, "instance": "", "group": "",
               "split": "test", "level": None, "series": "", "weight": 1.0, "seed": 0, "artefact": None, "job": {
                   "contender": taken.name}, "provenance": {}}  # fmt: skip
        from unseat.core.outcome import Outcome

        scores = [queue.Score(number, 0, f"{number:064}", "ok", value, {
            **run, "instance": f"secret-{number}", "group": f"g{number}", "series": f"secret-{number}",
            "outcome": Outcome(value).to_json()}) for number, value in values.items()]  # fmt: skip
        queue.finish(database, taken, scores)
        if taken.submission == submission:
            return


def test_every_answer_has_the_headers(client: TestClient, make_track: Callable[..., Track]) -> None:
    """Red: a page can be framed, run a script of somebody's, or load something from elsewhere."""
    make_track(references=[])
    for path in ("/", "/tracks/tiny", "/sign-in", "/nothing", "/api/tracks", "/api/tracks/none", "/healthz"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        if "html" in answer.headers["content-type"]:
            assert not re.search(r"<(script|style)>|\sstyle=|\son\w+=|(src|href)=\"https?:", answer.text), path


def test_sign_up_by_invitation(client: TestClient, database: Database) -> None:
    """Red: somebody without an invitation gets in, one invitation serves two, or roles can be chosen."""
    with database.write() as connection:
        word = accounts.invite(connection, accounts.ORGANISER, moment(connection))
    said = {"name": "Ada", "password": "long enough", "role": "organiser"}
    token = form_token(client, "/sign-up")
    assert client.post("/sign-up", data={**said, "token": token}).status_code == 422
    assert client.post("/sign-up", data={**said, "token": token, "invitation": word[:-1]}).status_code == 422
    assert client.post("/sign-up", data={**said, "token": token, "invitation": word}).status_code == 303
    assert client.get("/organise").status_code == 200
    client.cookies.clear()
    token = form_token(client, "/sign-up")
    again = client.post("/sign-up", data={**said, "name": "Bob", "token": token, "invitation": word})
    assert again.status_code == 422 and "invitation" in again.text
    set_sign_up(database, True)
    assert client.post("/sign-up", data={**said, "name": "Bob", "token": token}).status_code == 303
    assert client.get("/organise").status_code == 403
    with database.read() as connection:
        kept = connection.scalars(sa.select(tables.users.c.password)).all()
    assert all(one.startswith("$argon2id$") for one in kept)


@pytest.mark.parametrize("name", ["ADA", " ada ", "Ａda", "a\u200bda", "", "x" * 41, "a\u202eda", "a d a"])
def test_nobody_can_be_taken_for_another(client: TestClient, database: Database, make_user: Callable[..., User],
                                         name: str) -> None:  # fmt: skip
    """Red: two accounts look alike, or a name has characters that nobody sees."""
    make_user("Ada")
    set_sign_up(database, True)
    token = form_token(client, "/sign-up")
    assert client.post("/sign-up", data={"token": token, "name": name, "password": "long enough"}).status_code == 422


def test_forms_from_elsewhere(client: TestClient, database: Database, make_user: Callable[..., User]) -> None:
    """Red: another site can send our forms in a visitor's name (CSRF)."""
    make_user("Ada")
    assert sign_in(client, "Ada").status_code == 303
    token = form_token(client, "/account")
    made = {"label": "mine"}
    assert client.post("/account/tokens", data={**made, "token": "0" * 64}).status_code == 403
    assert client.post("/account/tokens", data=made).status_code == 422
    cross = {"sec-fetch-site": "cross-site"}
    assert client.post("/account/tokens", data={**made, "token": token}, headers=cross).status_code == 403
    other = TestClient(client.app)
    assert client.post("/account/tokens", data={**made, "token": form_token(other)}).status_code == 403
    assert client.post("/account/tokens", data={**made, "token": token}).status_code == 200
    # The API does not look at cookies where it changes something.
    assert client.post("/api/tracks/tiny/submissions?name=x", content=archive()).status_code == 401


def test_sessions_cannot_be_fixed_forged_or_kept(
    client: TestClient, database: Database, make_user: Callable[..., User]
) -> None:
    """Red: a session begun before signing in, made up, or that has ended is worth something."""
    user = make_user("Ada")
    form_token(client)
    planted = client.cookies[COOKIE]
    assert sign_in(client, "Ada").status_code == 303
    real = client.cookies[COOKIE]
    assert real != planted
    for cookie in (planted, real[:-2] + "aa", "x" * 2000, "", "W10.abc.def",
                   URLSafeTimedSerializer("guess", salt="session").dumps([user.id, 0, "n"]),
                   URLSafeTimedSerializer(database.setting("secret"), salt="x").dumps([user.id, 0, "n"])):  # fmt: skip
        assert client.get("/account", headers={"cookie": f"{COOKIE}={cookie}"}).status_code in (401, 404)
    assert client.get("/account").status_code == 200
    header = client.post("/sign-in", data={"token": form_token(client, "/account"), "name": "Ada",
                                           "password": "password of Ada"}).headers["set-cookie"]  # fmt: skip
    assert "HttpOnly" in header and "samesite=lax" in header.lower()
    stolen = client.cookies[COOKIE]
    assert client.post("/sign-out", data={"token": form_token(client, "/account")}).status_code == 303
    assert client.get("/account", headers={"cookie": f"{COOKIE}={stolen}"}).status_code == 401
    with TestClient(create_app(database, secure=True)) as https:
        assert "Secure" in https.get("/sign-in").headers["set-cookie"]


def test_passwords_are_guessed_slowly(client: TestClient, make_user: Callable[..., User]) -> None:
    """Red: passwords can be tried without end, or an answer tells whether there is an account."""
    make_user("Ada")
    token = form_token(client)
    tried = [client.post("/sign-in", data={"token": token, "name": name, "password": "wrong password"})
             for name in ["Ada", "Nobody"] * 7]  # fmt: skip
    assert {one.status_code for one in tried[:10]} == {403} and tried[-1].status_code == 429
    assert "retry-after" in tried[-1].headers
    pages = {re.sub(r"value=\"\w+\"", "", one.text) for one in tried[:2]}
    assert len(pages) == 1


def test_the_limiter_against_a_slow_reference() -> None:
    """Red: somebody gets through more often than is allowed, or is kept out for ever."""
    now = [0.0]
    limiter = Limiter(lambda: now[0])
    passed = []
    for step in range(600):
        now[0] = step / 10
        if limiter.allows("x", "me", times=10, seconds=10):
            passed.append(now[0])
    for at in passed:
        assert sum(at <= one < at + 10 for one in passed) <= 20
    assert 60 <= len(passed) <= 70 and limiter.allows("x", "you", times=10, seconds=10)
    limiter.most = 5
    for name in range(100):
        limiter.allows("x", str(name), times=1, seconds=1)
    assert len(limiter._left) <= 5


def test_other_peoples_things(
    client: TestClient, database: Database, make_user: Callable[..., User], make_track: Callable[..., Track]
) -> None:
    """Red: by an address alone one sees another's failed submission, its reason or archive, or revokes their token."""
    make_track(references=[])
    ada, _ = make_user("Ada"), make_user("Eve")
    made = queue.submit(database, ada.id, "tiny", "mine", archive())
    taken = queue.take(database, "w")
    assert taken is not None
    queue.fail(database, taken, "a secret reason")
    head = api_token(database, ada)
    for who, code in ((None, 404), ("Eve", 404), ("Ada", 200)):
        client.cookies.clear()
        if who:
            assert sign_in(client, who).status_code == 303
        for path in (f"/submissions/{made}", f"/api/submissions/{made}"):
            answer = client.get(path)
            assert answer.status_code == code and ("a secret reason" in answer.text) == (who == "Ada")
        assert client.get(f"/submissions/{made}/archive.zip").status_code == (code if who else 401)
    client.cookies.clear()
    sign_in(client, "Eve")
    with database.read() as connection:
        number = connection.scalar(sa.select(tables.tokens.c.id))
    client.post(f"/account/tokens/{number}/revoke", data={"token": form_token(client, "/account")})
    assert client.get(f"/api/submissions/{made}", headers=head).status_code == 200
    assert client.get("/metrics", headers=head).status_code == 401


def test_private_scores_stay_private(
    client: TestClient, database: Database, make_user: Callable[..., User], make_track: Callable[..., Track]
) -> None:
    """Red: before a track ends, a page or the API tells a private score, an instance's name, or the seed."""
    track = make_track(references=[])
    with database.read() as connection:
        own = tables.instances
        parts = {row.number: row.part for row in connection.execute(sa.select(own).where(own.c.track == track.id))}
    values = {number: 0.123456 if part == "public" else 0.987654 for number, part in parts.items()}
    assert set(parts.values()) == {"public", "private"}
    made = queue.submit(database, make_user("Ada").id, "tiny", "mine", archive())
    scored(database, made, values)
    board.refresh(database)
    sign_in(client, "Ada")
    paths = ["/tracks/tiny", f"/submissions/{made}", "/api/tracks/tiny/board", f"/api/submissions/{made}",
             "/tracks/tiny?sort=hidden", "/api/tracks", "/api/tracks/tiny", "/tracks/tiny/about"]  # fmt: skip
    shown = "".join(client.get(path).text for path in paths)
    assert "0.1235" in shown and "0.98765" not in shown and "secret-" not in shown and '"folder"' not in shown
    end(database, track)
    shown = "".join(client.get(path).text for path in paths)
    assert "0.9877" in shown and "0.987654" in shown and "secret-" not in shown


def test_what_a_policy_says_of_hidden_instances_reaches_nobody(
    client: TestClient, database: Database, make_user: Callable[..., User], make_track: Callable[..., Track]
) -> None:
    """Red: a policy can carry out what it saw of hidden instances in the message of its failure."""
    make_track(references=[])
    made = queue.submit(database, make_user("Ada").id, "tiny", "mine", archive())
    scored(database, made, dict.fromkeys(range(14), 0.5))
    with database.write() as connection:
        own = tables.scores
        connection.execute(sa.update(own).values(status="crashed", run=sa.func.replace(
            own.c.run, '"message": ""', '"message": "I saw 0110"')))  # fmt: skip
    board.refresh(database)
    sign_in(client, "Ada")
    shown = "".join(
        client.get(path).text
        for path in (
            "/tracks/tiny",
            f"/submissions/{made}",
            "/account",
            f"/api/submissions/{made}",
            "/api/tracks/tiny/board",
        )
    )
    assert "crashed" in shown and "I saw" not in shown


def test_names_are_text(client: TestClient, database: Database, make_user: Callable[..., User],
                        make_track: Callable[..., Track]) -> None:  # fmt: skip
    """Red: a name of an account, a submission, a token or a track runs as a script in somebody's browser."""
    make_track(references=[], title=EVIL, text=f"{EVIL} [x](javascript:alert(1))")
    user = make_user(EVIL)
    sign_in(client, EVIL)
    made = queue.submit(database, user.id, "tiny", EVIL, archive())
    scored(database, made, dict.fromkeys(range(14), 0.5))
    board.refresh(database)
    token = form_token(client, "/account")
    pages = [client.post("/account/tokens", data={"token": token, "label": EVIL}).text]
    pages += [client.get(path).text for path in ("/", "/tracks/tiny", "/tracks/tiny/about", f"/submissions/{made}",
              "/account", "/sign-in", f"/tracks/tiny?q={EVIL}", f"/sign-up?invitation={EVIL}")]  # fmt: skip
    assert all(EVIL not in page and 'href="javascript' not in page for page in pages)
    assert "&lt;script&gt;" in pages[2]


@pytest.mark.parametrize("bad", ["' OR 1=1 --", '"; DROP TABLE users; --', "%", "\0", "x" * 5000, "../../etc/passwd",
                                 "{{ 7919 * 7919 }}", "\ud83d"])  # fmt: skip
def test_filters_and_addresses(client: TestClient, make_track: Callable[..., Track], bad: str) -> None:
    """Red: SQL, templates or paths in what is asked for are more than text, or end in a fault of the server."""
    make_track(references=[])
    text = bad.encode("utf-8", "surrogatepass")
    for key in ("q", "sort", "show", "page", "down"):
        answer = client.get("/tracks/tiny", params={key: text})
        assert answer.status_code == 200 and "62710561" not in answer.text
    from urllib.parse import quote

    for path in ("/tracks/{}", "/submissions/{}", "/api/tracks/{}/board", "/static/{}/arena.css", "/{}"):
        assert client.get(path.format(quote(text, safe=""))).status_code in (404, 422)


def test_uploads_by_page_and_by_api(
    client: TestClient, database: Database, make_user: Callable[..., User], make_track: Callable[..., Track]
) -> None:
    """Red: a submission cannot be made, or one that may not be made is taken."""
    make_track(references=[], per_day=3)
    user = make_user("Ada")
    head = api_token(database, user)
    assert client.get("/tracks/tiny/submit").status_code == 401
    sign_in(client, "Ada")
    token = form_token(client, "/tracks/tiny/submit")
    files = {"archive": ("a.zip", archive(), "application/zip")}
    sent = client.post("/tracks/tiny/submit", data={"token": token, "name": "by page"}, files=files)
    assert sent.status_code == 303 and client.get(sent.headers["location"]).status_code == 200
    bad = client.post("/tracks/tiny/submit", data={"token": token, "name": "bad"}, files={"archive": ("a", b"no zip")})
    assert bad.status_code == 422 and "no zip archive" in bad.text
    url = "/api/tracks/tiny/submissions?name=by+api"
    assert client.post(url, content=archive(), headers=head).status_code == 201
    assert client.post(url, content=b"x", headers=head).status_code == 422
    assert client.post(url.replace("tiny", "none"), content=archive(), headers=head).status_code == 404
    assert client.post(url, content=archive(), headers={"authorization": "Bearer unseat_x"}).status_code == 401
    assert client.post(url, content=archive(), headers=head).status_code == 201
    assert client.post(url, content=archive(), headers=head).status_code == 429
    assert client.post(url, content=b"x" * (MOST_UPLOAD + 1), headers=head).status_code == 422
    assert client.post(url, content=b"x" * (MOST_BODY + 1), headers=head).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(6):
            yield b"x" * (1 << 20)

    assert client.post(url, content=chunks(), headers=head).status_code == 413


def test_tracks_that_are_closed_or_for_the_invited(
    client: TestClient, database: Database, make_user: Callable[..., User], make_track: Callable[..., Track]
) -> None:
    """Red: somebody submits to a track that is over, or to one they were not invited to."""
    track = make_track(references=[], open=False)
    user = make_user("Ada")
    head, url = api_token(database, user), "/api/tracks/tiny/submissions?name=x"
    assert "invited" in client.post(url, content=archive(), headers=head).json()["detail"]
    with database.write() as connection:
        word = accounts.invite(connection, accounts.PARTICIPANT, moment(connection), track=track.id)
    sign_in(client, "Ada")
    data = {"token": form_token(client, "/account"), "invitation": word}
    assert client.post("/account/join", data=data).status_code == 303
    assert client.post(url, content=archive(), headers=head).status_code == 201
    end(database, track)
    assert "ended" in client.post(url, content=archive(), headers=head).json()["detail"]


def test_an_organiser_makes_a_track(client: TestClient, database: Database, make_user: Callable[..., User]) -> None:
    """Red: an organiser cannot make a track by page, a participant can, or a page imports whatever it is told."""
    make_user("Org", accounts.ORGANISER)
    make_user("Ada")
    said = {"slug": "cache-now", "title": "Now", "task": "cache", "seed": "7", "suite": "quick",
            "starts": "2024-01-01T00:00", "ends": "2090-01-01T00:00", "open": "1"}  # fmt: skip
    sign_in(client, "Ada")
    token = form_token(client, "/account")
    assert client.post("/organise/tracks", data={**said, "token": token}).status_code == 403
    assert client.post("/organise/invite", data={"token": token, "role": "organiser"}).status_code == 403
    client.cookies.clear()
    sign_in(client, "Org")
    token = form_token(client, "/organise")
    evil = client.post("/organise/tracks", data={**said, "token": token, "task": "tests.arena.tiny:Tiny"})
    assert evil.status_code == 422
    assert client.post("/organise/tracks", data={**said, "token": token, "ends": "2023-01-01T00:00"}).status_code == 422
    assert client.post("/organise/tracks", data={**said, "token": token}).status_code == 303
    assert "Now" in client.get("/").text and client.get("/tracks/cache-now/about").status_code == 200
    kit = zipfile.ZipFile(io.BytesIO(client.get("/tracks/cache-now/kit.zip").content))
    assert "cache-now/policy/policy.py" in kit.namelist()
    page = client.post("/organise/invite", data={"token": token, "role": "participant", "track": "cache-now"}).text
    assert "/sign-up?invitation=" in page
    audit = client.get("/organise").text
    assert "track made" in audit and "invitation" in audit and "sign-in" in audit
    metrics = client.get("/metrics", headers=api_token(database, User(1, "", "", 0)))
    assert metrics.status_code == 200 and 'unseat_arena_jobs{state="queued"}' in metrics.text
