"""One policy's card: what its camera sees, what it says, how sure it is, and how it fares.

Whatever a person or a policy wrote is escaped: everybody who looks at the page sees it.
"""

from base64 import b64encode
from collections.abc import Callable
from html import escape
from io import BytesIO

import numpy as np
import viser
from jaxtyping import UInt8
from PIL import Image

from sayact.envs.language_table.camera import PICTURE
from sayact.play.player import Player
from sayact.play.view import View

JPEG_QUALITY = 80
SMALL_WIDTH = 128  # pixels on the page of what the network sees

COLOURS = {"playing": "#1c7ed6", "done": "#2f9e44", "resting": "#868e96", "failed": "#c92a2a"}
COLUMNS = "display:flex;justify-content:space-between;gap:8px"
RED = "#ff6b6b"  # of words; the chip's would be hard to read on dark paper
MEANINGS = {"playing": "playing", "done": "done", "resting": "resting", "failed": "stopped"}


class Card:
    """A panel with pictures and bars; `stage.dock` finds it a place."""

    def __init__(self, server: viser.ViserServer, player: Player) -> None:
        self.panel = server.gui.add_panel()
        self._player = player
        with self.panel.add_tab(player.name, viser.Icon.ROBOT):
            self._head = server.gui.add_html(waiting(player.problem))
            self._picture = server.gui.add_image(
                np.zeros((*PICTURE, 3), np.uint8), jpeg_quality=JPEG_QUALITY
            )
            self._words = server.gui.add_html("")
            self._remove = server.gui.add_button("Remove", icon=viser.Icon.TRASH, color="gray")

    def draw(self, view: View) -> None:
        """Brings the card to this moment."""
        self._head.content = head(view, self._player)
        self._picture.image = view.picture
        self._words.content = answers(view)

    def draw_problem(self) -> None:
        """There is no table yet, or none any more."""
        self._head.content = waiting(self._player.problem)

    def on_remove(self, wish: Callable[[], None]) -> None:
        """What to do when a person wants this table away."""
        self._remove.on_click(lambda _: wish())

    def remove(self) -> None:
        self.panel.remove()


def small_picture(pixels: UInt8[np.ndarray, "h w 3"]) -> str:
    """What the network gets as an HTML image, every pixel to be seen."""
    data = BytesIO()
    Image.fromarray(pixels).save(data, "PNG", compress_level=1)
    height, width = pixels.shape[:2]
    # Decoded before it is shown: a picture that changes ten times a second would flicker.
    return (
        f'<div style="font-size:0.8em;opacity:0.75"><img decoding="sync" width="{SMALL_WIDTH}" '
        f'src="data:image/png;base64,{b64encode(data.getvalue()).decode()}" '
        'style="image-rendering:pixelated;border-radius:3px;display:block">'
        f"the network sees {width}×{height}</div>"
    )


def waiting(problem: str) -> str:
    """Instead of a view, HTML."""
    if problem:
        return _padded(_small(problem, RED))
    return _padded("loading …")


def head(view: View, player: Player) -> str:
    """How it fares, HTML: state, steps, successes, rate and latency, and what went wrong."""
    paused = view.status == "playing" and not player.going
    meaning = "paused" if paused else MEANINGS[view.status]
    chip = (
        f'<span style="background:{COLOURS[view.status]};color:white;border-radius:4px;'
        f'padding:1px 7px">{meaning}</span>'
    )
    lines = [
        chip,
        f"step {view.steps}",
        f"{view.tally.done} of {view.tally.tried} done",
        f"{view.hz:.1f} Hz, {view.acting_ms:.0f} ms",
    ]
    left = "".join(f"<div>{line}</div>" for line in lines)
    right = "" if view.seen is None else small_picture(view.seen)
    below = ""
    for note in (view.note, player.problem):
        if note:
            colour = RED if view.status == "failed" or note == player.problem else ""
            below += _small(note, colour)
    columns = f'<div style="{COLUMNS}"><div style="line-height:1.35">{left}</div>{right}</div>'
    return _padded(columns + below)


def answers(view: View) -> str:
    """The action in HTML: a row for every dimension, with its token and how sure that was."""
    if view.action is None:
        return _padded(_small("no action yet"))
    action, rows = view.action, []
    for index, dimension in enumerate(view.space.dimensions):
        value = f"{float(action.values[index]):+.3f} {escape(dimension.unit)}"
        token = "" if action.tokens is None else f"token {int(action.tokens[index])}"
        chance = None if action.probabilities is None else float(action.probabilities[index])
        rows.append(_row(dimension.name, value, token, chance, COLOURS["playing"]))
    if action.illegal is not None:
        illegal = float(action.illegal.mean())
        rows.append(_row("illegal", "", "no action", illegal, COLOURS["failed"]))
    table = (
        '<div style="display:grid;grid-template-columns:auto auto auto 1fr auto;gap:2px 8px;'
        f'align-items:center;font-size:0.85em">{"".join(rows)}</div>'
    )
    plan = "" if action.plan is None else _small(f"plan: {action.plan}")
    return _padded(table + plan)


def _row(name: str, value: str, token: str, chance: float | None, colour: str) -> str:
    """Five cells of the grid."""
    if chance is None:
        bar, percent = "", ""
    else:
        share = 100 * min(max(chance, 0.0), 1.0)
        percent = f"{share:.1f} %"
        bar = (
            '<div style="background:rgba(128,128,128,0.25);border-radius:3px;height:9px">'
            f'<div style="background:{colour};border-radius:3px;height:9px;width:{share:.1f}%">'
            "</div></div>"
        )
    cells = (escape(name), value, token)
    return "".join(f"<span>{cell}</span>" for cell in cells) + (
        f'<div>{bar}</div><span style="text-align:right">{percent}</span>'
    )


def _padded(content: str) -> str:
    """With the margins that the page gives to its own controls."""
    return f'<div style="padding:0 0.7em 0.35em">{content}</div>'


def _small(text: str, colour: str = "") -> str:
    style = f"color:{colour};" if colour else "opacity:0.75;"
    return f'<div style="{style}font-size:0.85em;overflow-wrap:anywhere">{escape(text)}</div>'
