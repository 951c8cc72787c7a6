"""Episodes as mp4: the sentence above the picture, the action tokens below it.

┌────────────────────────────────────────────┐
│ push the red moon to the blue cube    1.2 s│  band; a plan stands below the sentence
├────────────────────────────────────────────┤
│                                            │
│              640 × 360 picture             │
│                                            │
├────────────────────────────────────────────┤
│ (↗)   x ──────▮── 131     y ───▮───── 122  │  dial, and a track with its token a dimension
└────────────────────────────────────────────┘
"""

from functools import cache
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from sayact.evals.provenance import policy_title
from sayact.evals.rollouts import Moment
from sayact.schema import Action, ActionSpace

PICTURE = (640, 360)  # width, height in pixels; the official videos are of this size
BAND = 48  # pixels above the picture
ROW = 30  # pixels of a row of tracks below it
COLUMNS = 4  # tracks side by side, at most
DIAL = 24  # radius in pixels
CRF = 26  # keeps a 20 s episode near 150 kB and its blocks sharp
HOLD_FRAMES = 8  # the end stays on screen for 0.8 s at 10 Hz
SHOWN = 0.35  # part of the action box that fills dial and tracks: real steps reach 35 of 100 mm

INK, PAPER, QUIET, LINE = (24, 26, 31), (250, 250, 247), (120, 126, 136), (205, 208, 213)
ACCENT, GREEN, RED = (232, 119, 34), (46, 168, 95), (200, 80, 70)


def film_path(videos: Path, policy: str, family: str, index: int) -> Path:
    """Where the film of an episode lies."""
    return videos / f"{policy_title(policy)}-{family}-{index}.mp4"


class Recorder:
    """Writes one episode; use as a context and hand `add` to `run_episode(watch=...)`.

    The file appears under its name only when it is whole.
    """

    def __init__(self, path: Path, space: ActionSpace) -> None:
        self.path, self.space, self.step = path, space, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._unfinished = path.with_suffix(".part")
        self._container = av.open(str(self._unfinished), "w", format="mp4")
        options = {"crf": str(CRF), "preset": "veryfast"}
        rate = max(1, round(space.rate_hz))
        self._stream = self._container.add_stream("libx264", rate=rate, options=options)
        self._stream.width, self._stream.height = PICTURE[0], height(space)
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 1

    def __enter__(self) -> "Recorder":
        return self

    def add(self, moment: Moment) -> None:
        frame = draw(moment, self.space, self.step)
        for _ in range(1 if moment.action is not None else HOLD_FRAMES):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            self._container.mux(self._stream.encode(picture))
        self.step += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.step:
            self._container.mux(self._stream.encode())
        self._container.close()
        if kind is None and self.step:
            self._unfinished.replace(self.path)
        else:
            self._unfinished.unlink(missing_ok=True)


def height(space: ActionSpace) -> int:
    """Of the whole frame, pixels; even, as the codec wants it."""
    return BAND + PICTURE[1] + _footer(space)


def draw(moment: Moment, space: ActionSpace, step: int) -> UInt8[np.ndarray, "H 640 3"]:
    """One frame of the film."""
    canvas = Image.new("RGB", (PICTURE[0], height(space)), PAPER)
    picture = Image.fromarray(moment.picture).resize(PICTURE, Image.Resampling.BICUBIC)
    canvas.paste(picture, (0, BAND))
    pen = ImageDraw.Draw(canvas)
    plan = None if moment.action is None else moment.action.plan
    _band(pen, moment.instruction, plan, f"{step / space.rate_hz:.1f} s")
    if moment.action is not None:
        _tokens(pen, moment.action, space)
    else:
        _verdict(pen, moment.success, space)
    return np.asarray(canvas)


def _band(pen: ImageDraw.ImageDraw, instruction: str, plan: str | None, clock: str) -> None:
    right = PICTURE[0] - 14
    pen.text((right, BAND / 2), clock, font=_font(15), fill=QUIET, anchor="rm")
    room = right - 14 - 60
    lines = [(instruction, 22, INK)] if not plan else [(instruction, 17, INK), (plan, 15, ACCENT)]
    for number, (text, largest, ink) in enumerate(lines):
        size = next((s for s in range(largest, 9, -1) if _font(s).getlength(text) < room), 10)
        middle = BAND * (2 * number + 1) / (2 * len(lines))
        pen.text((14, middle), text, font=_font(size), fill=ink, anchor="lm")


def _verdict(pen: ImageDraw.ImageDraw, success: bool, space: ActionSpace) -> None:
    colour, word = (GREEN, "done") if success else (RED, "not done")
    bottom = BAND + PICTURE[1]
    pen.rectangle((0, BAND, PICTURE[0] - 1, bottom - 1), outline=colour, width=6)
    middle = (PICTURE[0] / 2, bottom + _footer(space) / 2)
    pen.text(middle, word, font=_font(20), fill=colour, anchor="mm")


def _tokens(pen: ImageDraw.ImageDraw, action: Action, space: ActionSpace) -> None:
    """Below the picture: the dial, where the space moves in a plane, and a track a dimension."""
    top, left = BAND + PICTURE[1], 14.0
    if _is_planar(space):
        _dial(pen, (left + DIAL, top + _footer(space) / 2), action, space)
        left += 2 * DIAL + 22
    columns = min(COLUMNS, len(space))
    width = (PICTURE[0] - 14 - left) / columns
    rows = -(-len(space) // columns)
    first = top + (_footer(space) - rows * ROW) / 2 + ROW / 2
    for index, dimension in enumerate(space.dimensions):
        x, y = left + width * (index % columns), first + ROW * (index // columns)
        name = dimension.name.replace("delta_", "d").replace("_", " ")
        pen.text((x, y), name, font=_font(14), fill=QUIET, anchor="lm")
        text = _token_text(action, index, spelled=columns <= 2)
        # As wide as the widest text, so that the track keeps its length from frame to frame.
        room = _font(16).getlength("token 000" if columns <= 2 else "+0.000")
        start, end = x + 8 + _font(14).getlength(name), x + width - 26 - room
        pen.line((start, y, end, y), fill=LINE, width=3)
        pen.line(((start + end) / 2, y - 5, (start + end) / 2, y + 5), fill=LINE, width=1)
        at = start + (end - start) * _place(action, space, index)
        pen.rounded_rectangle((at - 4, y - 9, at + 4, y + 9), radius=4, fill=ACCENT)
        pen.text((x + width - 14, y), text, font=_font(16), fill=INK, anchor="rm")


def _dial(
    pen: ImageDraw.ImageDraw, centre: tuple[float, float], action: Action, space: ActionSpace
) -> None:
    """The displacement as seen in the picture, where the board's x points down, its y right."""
    x, y = centre
    pen.ellipse((x - DIAL, y - DIAL, x + DIAL, y + DIAL), outline=LINE, width=2)
    down, right = (2 * _place(action, space, row) - 1 for row in range(2))
    longer = max(1.0, float(np.hypot(down, right)))
    tip = (x + DIAL * right / longer, y + DIAL * down / longer)
    pen.line((x, y, *tip), fill=ACCENT, width=4)
    pen.ellipse((tip[0] - 5, tip[1] - 5, tip[0] + 5, tip[1] + 5), fill=ACCENT)


def _footer(space: ActionSpace) -> int:
    rows = -(-len(space) // COLUMNS)
    return max(2 * DIAL + 12, ROW * rows + 12)


def _is_planar(space: ActionSpace) -> bool:
    return space.frame == "board" and space.delta and len(space) == 2


def _place(action: Action, space: ActionSpace, row: int) -> float:
    """Where on its track a value lies, 0 to 1; a discrete one takes the whole range."""
    dimension, value = space.dimensions[row], float(action.values[row])
    shown = 1.0 if dimension.kind == "discrete" else SHOWN
    middle = (dimension.low + dimension.high) / 2
    reach = shown * (dimension.high - dimension.low) / 2
    place = (value - middle) / (2 * reach) + 0.5
    # A NaN is about to be refused; until then it stands in the middle.
    return min(1.0, max(0.0, place)) if np.isfinite(place) else 0.5


def _token_text(action: Action, row: int, *, spelled: bool) -> str:
    """The token id, or the number itself where no model chose it; of a fixed width."""
    if action.tokens is None:
        return f"{action.values[row]:+.3f}"
    return f"token {action.tokens[row]:03d}" if spelled else f"{action.tokens[row]}"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
