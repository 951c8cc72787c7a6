"""`sayact play`: a live page on which a person tells robots what to do."""

import math
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from socket import create_server, getaddrinfo
from typing import Annotated, Any

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import MissingExtraError, SayactError, UnknownNameError


@dataclass(frozen=True, kw_only=True)
class Play(Verb):
    """Open a live page: type a sentence, watch policies do it, and push their blocks about.

    Each policy has a table of its own, all from the same start. The page is a browser's; this
    machine needs no screen. Whoever can reach the page can play: there are no keys, so it binds to
    this machine alone unless --host says otherwise. Ends with Ctrl-C.

    For instance:

        sayact play
        sayact play rt1-nano rt2-nano
        sayact play runs/mine oracle --block-mode BLOCK_4
        sayact play ws://robot-server:8000 rt1-nano
    """

    policies: Annotated[Positional[tuple[str, ...]], arg(metavar="CHECKPOINT ...")] = ("rt1-nano",)
    """A checkpoint's folder, a name in the box, a baseline (oracle, random, zero), or a server's
    URL; one table each, four at most."""
    host: str = "127.0.0.1"
    """The address to listen at. 0.0.0.0 lets anybody in the network play."""
    port: int = 8080
    """The port; the next free one where it is taken."""
    family: Annotated[tuple[str, ...], arg(metavar="FAMILY ...")] = ()
    """Families that the world draws its own sentences from; all seven if none is named."""
    block_mode: str = "BLOCK_8"
    """Which blocks lie on the table: BLOCK_4, BLOCK_8, N_CHOOSE_K, WEB_8 …"""
    hz: float = 10.0
    """Steps a second. The world's own rate is 10."""
    plan_every: Annotated[int | None, arg(metavar="N")] = None
    """RT-2 alone: write a plan every N steps, 0 for none; unless told, as its checkpoint says."""
    device: str = "cpu"
    """Where to compute: cpu, cuda, cuda:1 …"""
    seconds: float | None = None
    """End after so long; without it, at Ctrl-C."""
    seed: int = 0
    """Which table lies there first."""

    def run(self, console: Console) -> Outcome:
        page, url = self._open(console)
        started, used = time.perf_counter(), time.process_time()
        try:
            page.run(self.seconds)
        except KeyboardInterrupt:
            console.print("closed")
        finally:
            with redirect_stdout(StringIO()):
                page.close()
        seconds = time.perf_counter() - started
        result = {
            "url": url,
            "seconds": seconds,
            "processors": (time.process_time() - used) / seconds,
            "tables": [_told(place.player) for place in page.places],
        }
        return Outcome(result=result)

    def _open(self, console: Console) -> tuple[Any, str]:
        """The page, and where it is. Raises MissingExtraError without viser."""
        try:
            import viser
        except ImportError as error:
            raise MissingExtraError("viser", "play") from error
        from sayact.envs.language_table.env import checked_families
        from sayact.envs.language_table.tasks import FAMILIES
        from sayact.play.page import Page, Setup
        from sayact.policies.loading import BASELINES, boxed
        from sayact.serve.security import in_url, is_loopback

        known = (*BASELINES, *boxed())
        self._require_sound(known)
        family = self.family or tuple(FAMILIES)
        checked_families(family, self.block_mode)  # before there is a page, not on it
        alone = is_loopback(self.host)
        if not alone:
            console.print(
                f"anybody who reaches {self.host} can play here, and pages have no keys; "
                "without --host the page is for this machine alone",
                style="yellow",
            )
        with redirect_stdout(StringIO()):  # viser greets there, where --json - may write
            server = viser.ViserServer(host=self.host, port=self.port, verbose=False)
        setup = Setup(
            family=family,
            block_mode=self.block_mode,
            hz=self.hz,
            device=self.device,
            plan_every=self.plan_every,
            typed=alone,
        )
        page = Page(server, self.policies, known, setup, seed=self.seed)
        url = f"http://{in_url(self.host)}:{server.get_port()}"
        console.print(f"play at {url}", soft_wrap=True)
        return page, url

    def _require_sound(self, known: Sequence[str]) -> None:
        """Mistakes are told here, not on a page that opens all the same."""
        from sayact.play.page import MOST_TABLES
        from sayact.serve.client import is_url

        if len(self.policies) > MOST_TABLES:
            raise SayactError(f"{MOST_TABLES} tables are all that fit; got {len(self.policies)}")
        for name in self.policies:
            if name not in known and not is_url(name) and not Path(name).is_dir():
                raise UnknownNameError("policy (or checkpoint folder)", name, known)
        if self.plan_every is not None and self.plan_every < 0:
            raise SayactError(f"--plan-every is a number of steps from 0 on; got {self.plan_every}")
        if not 0 <= self.port < 65536:
            raise SayactError(f"--port is from 0, any free one, to 65535; got {self.port}")
        require_own_address(self.host)
        if self.seconds is not None and not self.seconds > 0:
            raise SayactError(f"--seconds is a number above 0; got {self.seconds:g}")
        if not 0 < self.hz < math.inf:
            raise SayactError(f"--hz is a number above 0; got {self.hz:g}")


def require_own_address(host: str) -> None:
    """Told here: the page's server would try one port after the other without end."""
    try:
        family, *_ = getaddrinfo(host, None)[0]
        create_server((host, 0), family=family).close()
    except (OSError, UnicodeError) as error:
        raise SayactError(f"--host {host} is no address of this machine: {error}") from error


def _told(player: Any) -> dict[str, Any]:
    """How a table fared, for the result."""
    view = player.view
    if view is None:
        return {"policy": player.name, "problem": player.problem}
    return {
        "policy": player.name,
        "problem": player.problem or view.note,
        "status": view.status,
        "steps": view.steps,
        "done": view.tally.done,
        "tried": view.tally.tried,
        "hz": view.hz,
        "latency_ms": view.acting_ms,
    }
