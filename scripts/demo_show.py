"""What the demo shows: one line for each step with its time, live at a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text


class DemoError(Exception):
    """The demo cannot go on; the text is a sentence that says why."""


class Step:
    """One step: its title, when it began, and what it found out, if anything."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.began = time.monotonic()
        self.found = ""

    @property
    def seconds(self) -> float:
        """How long it has taken until now."""
        return time.monotonic() - self.began

    def line(self) -> Text:
        text = Text(f"{self.seconds:7.2f} s  {self.title}")
        if self.found:
            text.append(f": {self.found}", style="dim")
        return text


class Progress:
    """Prints the steps; at a terminal the one at work has a spinner and a clock that runs."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while the block runs, and its line when it ends."""
        step = Step(title)
        try:
            if self._console.is_terminal:
                spinner = Spinner("dots", style="cyan")

                def at_work() -> Spinner:
                    spinner.update(text=step.line())
                    return spinner

                with Live(
                    get_renderable=at_work,
                    console=self._console,
                    refresh_per_second=10,
                    transient=True,
                ):
                    yield step
            else:
                yield step
        except BaseException:
            self._print(Text("✘", style="red"), step)
            raise
        self._print(Text("✔", style="green"), step)

    def _print(self, mark: Text, step: Step) -> None:
        self._console.print(Text.assemble(mark, " ", step.line()), soft_wrap=True)

    def text(self, title: str, lines: Sequence[str]) -> None:
        """Show what somebody else said."""
        self._console.print(Text(f"\n{title}", style="bold"))
        for line in lines:
            self._console.print(Text(f"    {line}"), soft_wrap=True)
        self._console.print()

    def say(self, sentence: str, style: str = "") -> None:
        """Show a sentence."""
        self._console.print(Text(sentence, style=style), soft_wrap=True)

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Show the last lines."""
        self._console.print()
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            self._console.print(
                Text.assemble((f"{name.ljust(width)}  ", "bold"), value), soft_wrap=True
            )
