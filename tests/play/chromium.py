"""A real browser for tests, driven through Chrome's DevTools protocol and nothing else.

with Browser.open(1600, 900) as browser:
    browser.go("http://127.0.0.1:8080")
    browser.wait("document.querySelector('canvas') !== null")
    browser.click_text("Tell the robots")
    browser.screenshot(Path("page.png"))
"""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
START_SECONDS, WAIT_SECONDS = 60.0, 60.0
PAUSE_SECONDS = 0.2  # after a click: the page sends one message in 50 ms and drops the one before


def find_browser() -> str | None:
    """The first of the usual names on the path, or what the variable SAYACT_BROWSER names."""
    named = os.environ.get("SAYACT_BROWSER")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


class BrowserError(Exception):
    """What the browser answered instead, as when a page is being left for another."""


class Browser:
    """One page of one headless browser."""

    def __init__(self, socket: Connection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    @classmethod
    @contextmanager
    def open(cls, width: int, height: int) -> Iterator["Browser"]:
        """A browser with a profile of its own, ended afterwards. WebGL is drawn by the CPU."""
        program = find_browser()
        assert program is not None, "look for it with find_browser() first"
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            process = subprocess.Popen(
                [
                    program,
                    "--headless=new",
                    "--no-sandbox",
                    "--use-angle=swiftshader",
                    "--enable-unsafe-swiftshader",
                    "--no-first-run",
                    "--disable-extensions",
                    "--disable-background-networking",
                    "--remote-debugging-port=0",
                    f"--user-data-dir={profile}",
                    f"--window-size={width},{height}",
                    "about:blank",
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                with connect(_page_url(Path(profile)), max_size=None) as socket:
                    browser = cls(socket)
                    browser.ask("Page.enable")
                    browser.ask(
                        "Emulation.setDeviceMetricsOverride",
                        width=width,
                        height=height,
                        deviceScaleFactor=1,
                        mobile=False,
                    )
                    yield browser
            finally:
                process.terminate()
                process.wait(10)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol and its answer; events in between are passed over."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(WAIT_SECONDS))
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(answer["error"])
                return answer["result"]

    def go(self, url: str) -> None:
        self.ask("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait(self, script: str, seconds: float = WAIT_SECONDS) -> Any:
        """Until an expression is true, and what it is then."""
        end = time.monotonic() + seconds
        while True:
            with suppress(BrowserError):
                if found := self.run(script):
                    return found
            assert time.monotonic() < end, f"not within {seconds} s: {script}\n{self.text()[:2000]}"
            time.sleep(0.1)

    def text(self) -> str:
        """All that can be read on the page."""
        return self.run("document.body?.innerText ?? ''")

    def wait_text(self, text: str, seconds: float = WAIT_SECONDS) -> None:
        self.wait(f"document.body?.innerText.includes({json.dumps(text)})", seconds)

    def click_text(self, text: str, kind: str = "button, label") -> None:
        """The middle of the innermost thing of this kind that says this."""
        find = (
            f"[...document.querySelectorAll({json.dumps(kind)})]"
            f".findLast(one => one.innerText.trim() === {json.dumps(text)})"
        )
        self.wait(f"{find} !== undefined")
        self.run(f"{find}.scrollIntoView({{block: 'center'}})")
        box = self.run(
            f"(r => [r.x + r.width / 2, r.y + r.height / 2])({find}.getBoundingClientRect())"
        )
        self.mouse("mousePressed", *box)
        self.mouse("mouseReleased", *box)
        time.sleep(PAUSE_SECONDS)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """One event of the left button, in pixels of the page."""
        held = 0 if kind == "mouseReleased" else 1
        self.ask(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button="left",
            buttons=held,
            clickCount=1,
        )

    def hover(self, x: float, y: float) -> None:
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 12) -> None:
        """Press, move slowly, let go."""
        self.hover(*start)
        time.sleep(0.2)
        self.mouse("mousePressed", *start)
        for step in range(1, steps + 1):
            share = step / steps
            self.mouse(
                "mouseMoved",
                start[0] + share * (end[0] - start[0]),
                start[1] + share * (end[1] - start[1]),
            )
            time.sleep(0.06)
        self.mouse("mouseReleased", *end)

    def type(self, text: str) -> None:
        """Into whatever has the focus, in any script."""
        self.ask("Input.insertText", text=text)

    def press_enter(self) -> None:
        enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        self.ask("Input.dispatchKeyEvent", type="keyDown", text="\r", **enter)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **enter)

    def screenshot(self, target: Path) -> None:
        """What one sees, as PNG."""
        data = self.ask("Page.captureScreenshot", format="png")["data"]
        target.write_bytes(base64.b64decode(data))


def _page_url(profile: Path) -> str:
    """Where the browser's page listens: it writes its port into its profile."""
    end = time.monotonic() + START_SECONDS
    port_file = profile / "DevToolsActivePort"
    while time.monotonic() < end:
        lines = port_file.read_text().splitlines() if port_file.exists() else []
        if lines:
            with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
                pages = [one for one in json.load(answer) if one["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
        time.sleep(0.1)
    raise TimeoutError(f"the browser did not start within {START_SECONDS} s")
