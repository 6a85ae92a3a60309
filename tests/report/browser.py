"""A headless Chromium, driven by its own protocol over a pipe: no driver, no port, nothing to install beside it.

Protocol: https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
QUIET = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-extensions"


@contextlib.contextmanager
def chromium():
    """Run a browser as long as the block lasts; yields its one Page."""
    from_us, to_browser = os.pipe()
    from_browser, to_us = os.pipe()
    with tempfile.TemporaryDirectory() as profile:
        # It reads commands from 3 and answers on 4. Its own messages, about what headless machines lack, say nothing.
        command = f'exec "$0" {QUIET} --remote-debugging-pipe --user-data-dir="$1" 3<&{from_us} 4>&{to_us}'
        process = subprocess.Popen(
            ["bash", "-c", command, PROGRAM, profile], pass_fds=(from_us, to_us), stderr=subprocess.DEVNULL
        )
        os.close(from_us)
        os.close(to_us)
        try:
            with open(to_browser, "wb", 0) as commands, open(from_browser, "rb") as answers:
                page = Page(commands, answers)
                yield page
                page.call("Browser.close", session=None)
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait(timeout=30)


class Page:
    """One page. `seen` is the list of events, dicts with `method` and `params`, since the last `open`."""

    def __init__(self, commands, answers):
        self.commands, self.answers = commands, answers
        self.number, self.seen, self.session = 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Emulation.setScrollbarsHidden", hidden=True)  # they would narrow the page and cut the picture
        for domain in ("Page", "Network", "Log", "Runtime", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method, session="this", **parameters):
        """Send one command and return its result, a dict. Raises RuntimeError with the browser's message."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session and self.session:
            message["sessionId"] = self.session
        self.commands.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def open(self, path, width=1000, height=800, media="", scheme="light"):
        """Load a file, as a screen of `width` by `height` shows it, or in print."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.seen = []
        self.call("Page.navigate", url=Path(path).resolve().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.seen):
            self._next()

    def ask(self, script):
        """Evaluate an expression of JavaScript in the page and return its value, as JSON gives it."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")

    def picture(self, path, height=None):
        """Write a PNG of the whole page, or of its top."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True, optimizeForSpeed=False)[
            "data"
        ]
        Path(path).write_bytes(base64.b64decode(data))

    def printed(self):
        """Return the page as a PDF of A4, bytes."""
        paper = {"paperWidth": 8.27, "paperHeight": 11.69}
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, **paper)["data"])

    def _next(self):
        text = bytearray()
        while (byte := self.answers.read(1)) != b"\0":
            if not byte:
                raise RuntimeError(f"{PROGRAM} ended by itself")
            text += byte
        message = json.loads(text)
        if "method" in message:
            self.seen.append(message)
        return message
