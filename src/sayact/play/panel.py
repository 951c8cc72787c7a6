"""What a person can do, at the left: say something, lay a table, stop time, choose policies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import viser

from sayact.play.examples import Example

SPEEDS = {"½×": 0.5, "1×": 1.0, "2×": 2.0, "4×": 4.0}  # of the world's own rate
EXAMPLES = 6  # buttons

SENTENCE = (
    "padding:0.5em 0.9em 0;font-size:1.15em;font-weight:600;line-height:1.3;overflow-wrap:anywhere"
)
HINT = "padding:0 1em;font-size:0.85em;opacity:0.75"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the page does when a person asks for it; called in the threads of the page's server."""

    say: Callable[[str], None]
    new_table: Callable[[], None]
    again: Callable[[], None]
    go: Callable[[bool], None]
    step: Callable[[], None]
    speed: Callable[[float], None]
    add: Callable[[str], None]
    other_examples: Callable[[], None]


class Panel:
    """The panel at the left."""

    def __init__(
        self, server: viser.ViserServer, wishes: Wishes, choices: Sequence[str], typed: bool
    ) -> None:
        """`choices` are policies by name; `typed`: a path or a URL may be written as well."""
        self._gui = server.gui
        self._wishes = wishes
        self._said = self._gui.add_html("")
        self._add_sentence()
        self._examples = self._add_examples()
        self._add_time()
        self._add_policies(choices, typed)

    def show_sentence(self, sentence: str, judged: bool) -> None:
        """What the robots are told."""
        hint = "" if judged else "not judged: the world knows no such task"
        self._said.content = (
            f'<div style="{SENTENCE}">“{escape(sentence)}”</div><div style="{HINT}">{hint}</div>'
        )

    def show_examples(self, examples: Sequence[Example]) -> None:
        """One button each; the others are put away."""
        for index, button in enumerate(self._examples):
            button.visible = index < len(examples)
            if button.visible:
                button.label = examples[index].sentence

    def show_text(self, text: str) -> None:
        """Puts this into the text box."""
        self._text.value = text

    def _add_sentence(self) -> None:
        with self._gui.add_form("Say it") as form:
            self._text = self._gui.add_text(
                "Sentence", "", hint="any of the languages that the policy's encoder reads"
            )
            tell = self._gui.add_button("Tell the robots", icon=viser.Icon.MESSAGE)

        @form.on_submit
        def _(_: object) -> None:
            if self._text.value.strip():
                self._wishes.say(self._text.value.strip())

        @tell.on_click
        def _(_: object) -> None:
            form.submit()

    def _add_examples(self) -> list[viser.GuiButtonHandle]:
        with self._gui.add_folder("For instance, on this table"):
            buttons = [
                self._gui.add_button(f"example {n}", visible=False, color="gray")
                for n in range(EXAMPLES)
            ]
            others = self._gui.add_button("Others", icon=viser.Icon.REFRESH, color="gray")
        for button in buttons:
            self._on_example(button)

        @others.on_click
        def _(_: object) -> None:
            self._wishes.other_examples()

        return buttons

    def _on_example(self, button: viser.GuiButtonHandle) -> None:
        @button.on_click
        def _(_: object) -> None:
            self._wishes.say(button.label)

    def _add_time(self) -> None:
        with self._gui.add_folder("Table and time"):
            table = self._gui.add_button_group("Table", ("New", "Same again"))
            going = self._gui.add_button_group("Time", ("Pause", "Go on", "Step"))
            speed = self._gui.add_button_group("Speed", tuple(SPEEDS))

        @table.on_click
        def _(_: object) -> None:
            (self._wishes.new_table if table.value == "New" else self._wishes.again)()

        @going.on_click
        def _(_: object) -> None:
            if going.value == "Step":
                self._wishes.step()
            else:
                self._wishes.go(going.value == "Go on")

        @speed.on_click
        def _(_: object) -> None:
            self._wishes.speed(SPEEDS[speed.value])

    def _add_policies(self, choices: Sequence[str], typed: bool) -> None:
        with self._gui.add_folder("Policies side by side", expand_by_default=False):
            chosen = self._gui.add_dropdown("Policy", tuple(choices))
            other = self._gui.add_text(
                "or", "", hint="a checkpoint's folder, or ws://HOST:PORT", visible=typed
            )
            add = self._gui.add_button("Add a table", icon=viser.Icon.PLUS, color="gray")

        @add.on_click
        def _(_: object) -> None:
            self._wishes.add((other.value.strip() if typed else "") or chosen.value)
            other.value = ""
