"""The page in a real browser: what a person does, and what becomes of it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import viser
from chromium import Browser, find_browser
from PIL import Image

from sayact.play.page import Page, Setup
from sayact.play.view import View
from sayact.schema.errors import SayactError

WIDTH, HEIGHT = 1100, 700
LAID = 60.0  # seconds for a page to be there on a busy machine without a graphics card

pytestmark = pytest.mark.skipif(
    find_browser() is None,
    reason="no Chromium or Chrome on the path (SAYACT_BROWSER names another place)",
)


@dataclass
class Visit:
    """A browser at a page that this process serves."""

    page: Page
    server: viser.ViserServer
    browser: Browser

    def view(self, table: int = 0) -> View:
        view = self.page.places[table].player.view
        assert view is not None
        return view

    def wait(self, until: Callable[[], bool], seconds: float = LAID) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, self.browser.text()[:3000]
            time.sleep(0.05)

    def pixels(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Where a point of the scene is on the screen, by the visitor's own camera."""
        camera = next(iter(self.server.get_clients().values())).camera
        left, top, width, height = self.browser.run(
            "(r => [r.x, r.y, r.width, r.height])"
            "(document.querySelector('canvas').getBoundingClientRect())"
        )
        forward = camera.look_at - camera.position
        forward /= np.linalg.norm(forward)
        right = np.array([0.0, 1.0, 0.0])
        up = np.cross(forward, -right)
        ray = np.array([x, y, z]) - camera.position
        scale = height / 2 / np.tan(camera.fov / 2) / (ray @ forward)
        return left + width / 2 + ray @ right * scale, top + height / 2 - ray @ up * scale


@pytest.fixture(scope="module")
def visit() -> Iterator[Visit]:
    server = viser.ViserServer(host="127.0.0.1", port=18300, verbose=False)
    page = Page(server, ["oracle"], ["oracle", "zero"], Setup(block_mode="BLOCK_4", hz=20.0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            page.run(seconds=0.5)

    loop = threading.Thread(target=serve)
    loop.start()
    try:
        with Browser.open(WIDTH, HEIGHT) as browser:
            browser.go(f"http://127.0.0.1:{server.get_port()}")
            browser.wait_text("Tell the robots", LAID)
            visit = Visit(page, server, browser)
            visit.wait(lambda: len(server.get_clients()) == 1)
            yield visit
    finally:
        stop.set()
        loop.join()
        page.close()


def test_the_first_look_shows_table_card_and_sentence(visit: Visit, tmp_path: Path) -> None:
    visit.browser.wait_text(visit.view().instruction)
    visit.browser.wait_text("oracle")
    visit.browser.wait_text("For instance, on this table")
    target = tmp_path / "page.png"
    visit.browser.wait("document.querySelector('canvas') !== null")
    time.sleep(1)
    visit.browser.screenshot(target)
    picture = np.asarray(Image.open(BytesIO(target.read_bytes())).convert("RGB")).astype(float)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    red, green, blue = picture[:, 300:780].reshape(-1, 3).T
    # Blocks of three colours are seen between the panels.
    assert np.sum((red > 180) & (green < 120) & (blue < 120)) > 100
    assert np.sum((blue > 150) & (red < 140) & (green < 140)) > 100
    assert np.sum((green > 150) & (red < 150) & (blue < 150)) > 100


def test_a_typed_sentence_is_played_and_judged(visit: Visit) -> None:
    before = visit.view().tally
    visit.browser.run("document.querySelector('form input').focus()")
    visit.browser.type("push the red moon to the blue cube")
    # The page sends what is typed at most every 50 ms, and a click within these overtakes it.
    visit.wait(lambda: visit.page._panel._text.value != "")
    visit.browser.click_text("Tell the robots")
    visit.browser.wait_text("“push the red moon to the blue cube”")
    visit.wait(lambda: visit.view().tally.done == before.done + 1)
    visit.browser.wait_text(f"{before.done + 1} of {before.tried + 1} done")


def test_enter_says_it_and_a_free_sentence_is_not_judged(visit: Visit) -> None:
    visit.browser.run("document.querySelector('form input').focus()")
    visit.browser.run("document.querySelector('form input').select()")
    visit.browser.type("räum den Tisch auf <b>bitte</b>")
    visit.wait(lambda: visit.page._panel._text.value.startswith("räum"))
    visit.browser.press_enter()
    visit.browser.wait_text("“räum den Tisch auf <b>bitte</b>”")
    visit.browser.wait_text("not judged")
    visit.browser.wait_text("the oracle plays tasks that the world knows")


def test_an_example_in_another_language_is_a_click(visit: Visit) -> None:
    example = next(one for one in visit.page._examples if one.language != "en")
    visit.browser.click_text(example.sentence)
    visit.browser.wait_text(f"“{example.sentence}”")
    visit.wait(lambda: visit.view().instruction == example.sentence)
    assert visit.view().judged


def test_a_new_table_and_the_same_again(visit: Visit) -> None:
    before = visit.view().state.blocks
    visit.browser.click_text("New")
    visit.wait(lambda: visit.view().state.blocks.keys() == before.keys() and visit.page._seed == 1)
    visit.browser.click_text("Pause")
    visit.wait(lambda: not visit.page._going)
    visit.browser.click_text("Same again")
    visit.wait(lambda: visit.view().steps == 0)
    start = visit.view()
    assert all(start.state.blocks[block] != before[block] for block in before)
    visit.browser.click_text("Step")
    visit.wait(lambda: visit.view().steps == 1)
    time.sleep(0.3)
    assert visit.view().steps == 1
    visit.browser.wait_text("paused")


def test_a_block_is_dragged_with_the_mouse(visit: Visit) -> None:
    time.sleep(2)  # the scene of the new table is drawn
    state = visit.view().state
    block = "green_star"
    x, y, _ = state.blocks[block]
    goal = max(
        ((0.25, 0.2), (0.5, 0.2), (0.25, -0.2), (0.5, -0.2)),
        key=lambda spot: min(
            np.linalg.norm(np.array(spot) - there)
            for there in (*(state.xy(one) for one in state.blocks), state.effector_xy)
        ),
    )
    top = 0.0381
    visit.browser.drag(visit.pixels(x, y, top), visit.pixels(*goal, top), steps=20)
    visit.wait(lambda: bool(np.linalg.norm(visit.view().state.xy(block) - goal) < 0.02))
    others = set(state.blocks) - {block}
    assert all(visit.view().state.blocks[one] == state.blocks[one] for one in others)


def test_policies_are_added_side_by_side_and_a_broken_one_says_so(visit: Visit) -> None:
    visit.browser.click_text("Policies side by side", "div")
    other = "[...document.querySelectorAll('input')].findLast(one => one.type === 'text')"
    visit.browser.wait(f"{other}.value === '' && {other}.offsetParent !== null")
    for name in ("zero", "runs/no-such-folder"):
        visit.browser.run(f"{other}.focus()")
        visit.browser.type(name)
        time.sleep(0.3)
        visit.browser.click_text("Add a table")
        visit.wait(lambda name=name: visit.page.places[-1].player.name == name)
        time.sleep(0.5)
    visit.browser.wait_text("UnknownNameError")
    visit.wait(lambda: visit.page.places[1].player.view is not None)
    assert visit.view(1).instruction == visit.view(0).instruction
    assert visit.page.places[2].player.view is None
    visit.browser.click_text("Go on")
    visit.wait(lambda: visit.view(1).steps >= 3)


def test_a_page_for_others_plays_only_what_it_was_given(visit: Visit) -> None:
    page = visit.page
    typed, page._setup = page._setup, Setup(typed=False)
    try:
        with pytest.raises(SayactError, match="none of oracle, zero"):
            page._require_allowed("ws://elsewhere:8000")
    finally:
        page._setup = typed


def test_the_key_of_a_server_is_not_sent_to_another(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYACT_KEY", "secret")
    with pytest.raises(SayactError, match="name the server on the command line"):
        visit.page._require_allowed("ws://elsewhere:8000")
