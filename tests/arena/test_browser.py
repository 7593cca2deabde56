"""The arena and an event's site in a real browser: a participant's way, the keyboard, a telephone, accessibility."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the arena needs its extra: pip install 'unseat[arena]'")
pytest.importorskip("playwright.sync_api", reason="no Playwright here; pip install playwright")
pytest.importorskip("axe_playwright_python", reason="no axe-core here; pip install axe-playwright-python")

from axe_playwright_python.sync_playwright import Axe
from playwright import sync_api
from tests.arena.conftest import archive, cheap

from unseat.arena import event
from unseat.arena.accounts import User
from unseat.arena.database import Database
from unseat.arena.running import set_sign_up
from unseat.arena.server.app import create_app
from unseat.arena.tracks import Track
from unseat.arena.worker import Worker
from unseat.sandbox import bubblewrap

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; apt-get install chromium"),
    pytest.mark.skipif(bubblewrap.found() is None, reason=f"no bubblewrap here; {bubblewrap.INSTALL}"),
]
EVENT = Path(__file__).parents[2] / "examples" / "event"
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1200, "height": 900}
CONTRAST = {"runOnly": ["color-contrast"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def address(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server of the arena on a port of its own."""
    import uvicorn

    from unseat.arena.running import _listen

    cheap(monkeypatch)
    set_sign_up(database, True)
    listening = _listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(database), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page on which nothing may be complained of."""
    context = browser.new_context(viewport=DESK)
    made, complaints = context.new_page(), []
    made.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.set_default_timeout(20_000)
    yield made
    context.close()
    assert complaints == []


def audit(page: Any) -> None:
    """axe-core finds nothing wrong with a page, in light and in dark; it does not scroll sideways on a telephone."""
    for scheme, options in (("light", {}), ("dark", CONTRAST)):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options={"preload": False, **options}).response["violations"]
        assert found == [], (page.url, scheme, json.dumps(found)[:3000])
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    page.set_viewport_size(DESK)


def work(database: Database) -> None:
    """Let a worker do what waits."""
    with Worker(database) as worker:
        worker.run(drain=True)


def test_a_participants_way(
    address: str, page: Any, database: Database, make_track: Callable[..., Track], tmp_path: Path
) -> None:
    """Red: somebody cannot sign up, submit, watch the score arrive, sort or filter the board."""
    make_track(rows=6, references=["zero", "one", "truth"])
    for _ in range(3):
        work(database)
    page.goto(address)
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Name, which everybody sees").fill("Ada <b>")
    page.get_by_label("Password").fill("long enough")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("heading", name="Ada <b>").wait_for()
    audit(page)
    page.goto(f"{address}/tracks/tiny/submit")
    audit(page)
    (tmp_path / "entry.zip").write_bytes(archive())
    page.get_by_label("Name of the submission").fill("echo & more")
    page.get_by_label("Archive").set_input_files(tmp_path / "entry.zip")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("heading", name="echo & more").wait_for()
    assert page.locator("#state").inner_text().startswith("queued")
    work(database)
    # The page looks for itself.
    page.get_by_role("status").get_by_text("scored").wait_for()
    assert page.locator("tbody tr").count() == 3
    audit(page)
    page.get_by_role("link", name="Guess").click()
    rows = page.locator("tbody tr")
    assert rows.count() == 4 and "echo & more" in page.locator("tbody").inner_text()
    page.get_by_role("columnheader", name="Who").get_by_role("link").click()
    assert page.locator('th[aria-sort="ascending"]').inner_text().startswith("Who")
    page.get_by_role("columnheader", name="Who").get_by_role("link").click()
    assert page.locator('th[aria-sort="descending"]').count() == 1
    page.get_by_label("Show").select_option("submissions")
    page.wait_for_url("**show=submissions*")
    assert rows.count() == 1
    page.get_by_label("Find").fill("nobody")
    page.get_by_label("Find").press("Enter")
    page.get_by_text("No line fits that.").wait_for()
    audit(page)
    for path in ("/", "/tracks/tiny", "/tracks/tiny/about", "/nothing"):
        page.goto(f"{address}{path}") if path != "/nothing" else None
        audit(page)


def test_by_keyboard_alone(
    address: str, page: Any, database: Database, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    """Red: without a mouse one cannot sign in and reach the board, or does not see where one is."""
    make_track(references=["zero"])
    make_user("Ada")
    page.goto(f"{address}/sign-in")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    page.keyboard.type("password of Ada")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Ada").wait_for()
    for _ in range(40):
        page.keyboard.press("Tab")
        shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert shown != "none"
        if page.evaluate("document.activeElement.textContent") == "Choose a track.":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")


def test_an_organisers_pages(
    address: str, page: Any, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    """Red: an organiser's pages cannot be used, or read by everybody."""
    make_track(references=[])
    make_user("Org", "organiser")
    page.goto(f"{address}/sign-in")
    audit(page)
    page.get_by_label("Name").fill("Org")
    page.get_by_label("Password").fill("password of Org")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Organise").click()
    audit(page)
    page.get_by_label("Role").select_option("organiser")
    page.get_by_role("button", name="Make an invitation").click()
    page.get_by_text("/sign-up?invitation=").wait_for()
    page.goto(f"{address}/sign-up")
    audit(page)
    page.context.clear_cookies()
    assert page.request.get(f"{address}/organise").status == 401


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example event's site."""
    folder = tmp_path_factory.mktemp("site")
    event.render(event.read(EVENT), folder)
    return folder


def test_the_events_site(site: Path, page: Any) -> None:
    """Red: a page of an event's site asks somebody for something, or cannot be read by everybody."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    pages = sorted(site.rglob("*.html"))
    for path in pages:
        page.goto(path.as_uri())
        audit(page)
    assert len(pages) >= 10 and all(url.startswith("file:") for url in asked)
    page.goto((site / "2024" / "schedule.html").as_uri())
    button = page.locator("#own-zone button")
    first = page.locator("table.schedule time").first
    assert first.inner_text() == "8:20 AM"
    page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    page.get_by_role("link", name="Keynote: Jeff Dean").click()
    assert page.url.endswith("#dean_talk") and page.locator("#dean_talk").is_visible()
