"""The page while no browser looks at it."""

import time
from collections.abc import Callable, Iterator

import pytest
import viser

from sayact.play.page import Page, Setup


@pytest.fixture
def page() -> Iterator[Page]:
    server = viser.ViserServer(host="127.0.0.1", port=18320, verbose=False)
    page = Page(server, ["zero"], ["zero"], Setup(block_mode="N_CHOOSE_K"))
    yield page
    page.close()


def run(page: Page, until: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not come to pass"
        page.run(0.1)


def test_examples_are_about_the_new_table_and_not_the_one_before(page: Page) -> None:
    run(page, lambda: page._examples_for == 0)
    for seed in (1, 2):  # every table has other blocks
        page.new_table()
        run(page, lambda seed=seed: page._examples_for == seed)
        view = page.places[0].player.view
        assert view is not None
        assert page._examples
        for example in page._examples:
            named = [one for one in example.meaning.arguments if "_" in one]
            colours = ("red", "blue", "green", "yellow")
            blocks = {one for one in named if one.split("_")[0] in colours}
            assert blocks <= set(view.state.blocks), example


def test_a_wish_that_fails_in_no_foreseen_way_does_not_end_the_page(page: Page) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    page._todo.put(fail)
    page._todo.put(page.new_table)
    run(page, lambda: page._seed == 1)


def test_a_table_removed_leaves_its_name_to_the_next(page: Page) -> None:
    page.add("zero")
    page.remove(page.places[0])
    page.add("zero")
    assert sorted(place.slot for place in page.places) == [0, 1]
