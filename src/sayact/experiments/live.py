"""Training as a line to watch: steps, loss, and every closed-loop success as it comes."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sayact.experiments.recipe import Experiment

SUCCESS = "success/"


class TrainingLine:
    """Hand it to `run(progress=...)`. It steps aside while a round collects its episodes."""

    def __init__(self, recipe: Experiment, console: Console) -> None:
        self._steps = recipe.train.steps
        self._pauses = {round.until for round in recipe.rounds}
        self._console = console
        self._bar: Progress | None = None

    def __call__(self, step: int, values: dict[str, float]) -> None:
        """A measurement of the loop: losses and speed, or the success of an evaluation."""
        won = {k.removeprefix(SUCCESS): v for k, v in values.items() if k.startswith(SUCCESS)}
        if won:
            shown = ", ".join(
                f"{family} [bold]{100 * rate:.0f} %[/]" for family, rate in won.items()
            )
            self._console.print(f"step {step:,}: success {shown}")
        if "loss" in values:
            self._show(step, values)
            if step in self._pauses:
                self.close()

    def close(self) -> None:
        """Leave the line as it stands; the next measurement draws a new one."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self, step: int, values: dict[str, float]) -> None:
        if self._bar is None:
            self._bar = Progress(
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[state]}"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bar.add_task("training", total=self._steps, state="")
            self._bar.start()
        state = (
            f"loss {values['loss']:.3f} · {100 * values['accuracy']:.0f} % of tokens right · "
            f"{values['frames_per_second']:,.0f} frames/s"
        )
        self._bar.update(self._bar.task_ids[0], completed=step, state=state)
