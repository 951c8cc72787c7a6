"""The page: players, their scenes and cards, and the one panel that tells them all what to do.

    browser ── callbacks ──▶ wishes ──▶ queue ──▶ this loop ── orders ──▶ players (a thread each)
       ◀──────────── scene, cards, plots ◀──────── this loop ◀── views ──────┘

All that the page holds is touched by its one loop, whatever thread a wish comes from. Everybody who
opens the page sees the same tables, and anybody may speak.
"""

import logging
import os
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import viser

from sayact.envs.language_table import FAMILIES
from sayact.play.card import Card
from sayact.play.examples import Example, draw_examples
from sayact.play.panel import EXAMPLES, Panel, Wishes
from sayact.play.player import Player
from sayact.play.plots import SAMPLE_SECONDS, Plots
from sayact.play.scene import TableScene
from sayact.play.stage import aim, dock, dress, welcome
from sayact.play.table import PlayTable
from sayact.policies import load_policy
from sayact.policies.rt2 import RT2Policy
from sayact.schema.errors import SayactError
from sayact.serve.client import is_url
from sayact.serve.link import KEY_VARIABLE

logger = logging.getLogger(__name__)

DRAW_SECONDS = 0.05  # between two looks at the players; twice a control step
MOST_TABLES = 4  # side by side; more do not fit a screen, nor two cores
FOREIGN = EXAMPLES - 3  # example sentences in other languages


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What all tables of a page have in common.

    hz: steps a second at speed 1.
    plan_every: after how many steps an RT-2 plans anew; None: as its checkpoint says.
    typed: whether a path or a URL may be written on the page; else only names of the list.
    """

    family: Sequence[str] = tuple(FAMILIES)
    block_mode: str = "BLOCK_8"
    hz: float = 10.0
    device: str = "cpu"
    plan_every: int | None = None
    typed: bool = True


@dataclass
class Place:
    """One table on the page."""

    player: Player
    scene: TableScene
    card: Card
    slot: int  # its number among the tables there are; not its order
    drawn: int = -1  # version of the view that was drawn
    problem: str = field(default="")  # that was drawn


class Page:
    """Open it, `run` it, `close` it."""

    def __init__(
        self,
        server: viser.ViserServer,
        names: Sequence[str],
        choices: Sequence[str],
        setup: Setup,
        *,
        seed: int = 0,
    ) -> None:
        self._server = server
        self._setup = setup
        self._choices = set(choices) | set(names)
        self._seed = seed
        self._rng = np.random.default_rng(seed)
        self._todo: queue.Queue[Callable[[], None]] = queue.Queue()
        self._said: tuple[str, Example | None] | None = None  # by a person, on this table
        self._examples: list[Example] = []
        self._examples_for = -1  # seed of the table that they are about
        self._speed, self._going = 1.0, True
        self.places: list[Place] = []
        dress(server)
        self._panel = Panel(server, self._wishes(), sorted(self._choices), setup.typed)
        self._plots = Plots(server)
        for name in names:
            self.add(name)
        server.on_client_connect(lambda client: welcome(client, lambda: len(self.places)))

    # --- the loop ---

    def run(self, seconds: float | None = None) -> None:
        """Serve browsers for so long; None: until a KeyboardInterrupt."""
        end = float("inf") if seconds is None else time.perf_counter() + seconds
        sampled = time.perf_counter()
        while time.perf_counter() < end:
            self._fulfil(DRAW_SECONDS)
            with self._server.atomic():
                self._draw()
                if time.perf_counter() - sampled >= SAMPLE_SECONDS:
                    sampled = time.perf_counter()
                    self._plots.sample()

    def close(self) -> None:
        """Stop all tables, and the server."""
        for place in self.places:
            place.player.end()  # all at once
        for place in self.places:
            place.player.close()
        self._server.stop()

    def _fulfil(self, seconds: float) -> None:
        """Waits so long, and does what is wished for meanwhile."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            try:
                wish = self._todo.get(timeout=left)
            except queue.Empty:
                return
            try:
                wish()
            except SayactError as mistake:
                self._notify(str(mistake))
            except Exception as error:  # as of a visitor who has just left; others play on
                logger.exception("a wish was not fulfilled")
                self._notify(f"{type(error).__name__}: {error}")

    def _draw(self) -> None:
        for place in self.places:
            view, problem = place.player.view, place.player.problem
            if view is None:
                if problem != place.problem:
                    place.card.draw_problem()
            elif view.version != place.drawn or problem != place.problem:
                place.scene.draw(view)
                place.card.draw(view)
                place.drawn = view.version
            place.problem = problem
        first = next((p.player.view for p in self.places if p.player.view is not None), None)
        if first is None:
            return
        self._panel.show_sentence(first.instruction, first.judged)
        if self._examples_for != self._seed:
            self._draw_examples()

    def _draw_examples(self) -> None:
        """Example sentences for the table as it lies now, once one of the players has laid it."""
        views = (place.player.view for place in self.places)
        view = next((one for one in views if one is not None and one.seed == self._seed), None)
        if view is not None:
            self._examples = draw_examples(view.state, self._rng, FOREIGN)
            self._examples_for = self._seed
            self._panel.show_examples(self._examples)

    # --- wishes, in the loop ---

    def add(self, name: str) -> None:
        """A table more, with the same start and sentence as the others."""
        self._require_allowed(name)
        setup = self._setup

        def make() -> PlayTable:
            policy = load_policy(name, setup.device)
            if setup.plan_every is not None and isinstance(policy, RT2Policy):
                policy.plan_every = setup.plan_every
            return PlayTable(name, policy, family=setup.family, block_mode=setup.block_mode)

        player = Player(name, make, hz=setup.hz * self._speed)
        player.going = self._going

        def grabbed(block: str, xy: tuple[float, float]) -> None:
            player.order(lambda table: table.move(block, xy))

        # The server keeps a message for every name there ever was: names are used again.
        slot = min(set(range(MOST_TABLES)) - {place.slot for place in self.places})
        scene = TableScene(self._server, f"table{slot}", name, grabbed)
        place = Place(player=player, scene=scene, card=Card(self._server, player), slot=slot)
        place.card.on_remove(lambda: self._todo.put(lambda: self.remove(place)))
        self.places.append(place)
        self._arranged()
        self._lay(player)

    def remove(self, place: Place) -> None:
        """Takes a table away."""
        if place in self.places:
            self.places.remove(place)
            place.player.end()  # without waiting: its server may be dead
            place.scene.remove()
            place.card.remove()
            self._arranged()

    def say(self, sentence: str) -> None:
        """To all robots."""
        known = next((one for one in self._examples if one.sentence == sentence), None)
        self._said = (sentence, known)
        for place in self.places:
            self._tell(place.player)

    def new_table(self) -> None:
        """Another start, the same for all; the world says what to do."""
        self._seed += 1
        self.again(keep=False)

    def again(self, keep: bool = True) -> None:
        """The same start once more, with what a person has said last."""
        if not keep:
            self._said = None
        for place in self.places:
            self._lay(place.player)

    def go(self, going: bool) -> None:
        self._going = going
        for place in self.places:
            place.player.going = going

    def step(self) -> None:
        """One step of every table; time stands still afterwards."""
        self.go(False)
        for place in self.places:
            place.player.order(PlayTable.step)

    def speed(self, factor: float) -> None:
        self._speed = factor
        for place in self.places:
            place.player.hz = self._setup.hz * factor

    def _lay(self, player: Player) -> None:
        seed = self._seed
        player.order(lambda table: table.lay(seed))
        self._tell(player)

    def _tell(self, player: Player) -> None:
        if self._said is not None:
            sentence, known = self._said
            meaning = None if known is None else known.meaning
            player.order(lambda table: table.say(sentence, meaning))

    def _arranged(self) -> None:
        for index, place in enumerate(self.places):
            place.scene.place(index, len(self.places))
        dock([place.card.panel for place in self.places])
        self._plots.follow(tuple(place.player for place in self.places))
        for client in self._server.get_clients().values():
            aim(client, len(self.places))

    def _require_allowed(self, name: str) -> None:
        if len(self.places) >= MOST_TABLES:
            raise SayactError(f"{MOST_TABLES} tables are all that fit; remove one first")
        if not self._setup.typed and name not in self._choices:
            raise SayactError(
                f"{name!r} is none of {', '.join(sorted(self._choices))}; a page that others can "
                "reach plays those alone"
            )
        if is_url(name) and name not in self._choices and os.environ.get(KEY_VARIABLE):
            raise SayactError(
                f"{name} was not named when the page was opened, and the key in {KEY_VARIABLE} "
                "would be sent there; name the server on the command line"
            )

    def _notify(self, message: str) -> None:
        for client in self._server.get_clients().values():
            client.add_notification("This cannot be done", message, auto_close_seconds=10.0)

    def _wishes(self) -> Wishes:
        """Each only says to the loop what is to be done."""
        put = self._todo.put
        return Wishes(
            say=lambda sentence: put(lambda: self.say(sentence)),
            new_table=lambda: put(self.new_table),
            again=lambda: put(self.again),
            go=lambda going: put(lambda: self.go(going)),
            step=lambda: put(self.step),
            speed=lambda factor: put(lambda: self.speed(factor)),
            add=lambda name: put(lambda: self.add(name)),
            other_examples=lambda: put(self._draw_examples),
        )
