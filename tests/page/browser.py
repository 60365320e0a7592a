# SPDX-License-Identifier: MIT
"""A headless Chromium, told what to do by its own protocol (DevTools, over two pipes).

    with Browser(folder) as browser:
        page = browser.open("http://127.0.0.1:8080/", dark=True)
        page.until("document.title == 'Xenolith'", 10)
        page.screenshot("page.png")

Chrome DevTools Protocol: messages are JSON, each ends with a NUL; a page is a "session".
"""
import base64
import json
import os
import select
import subprocess
import time

CHROMIUM = ("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
            "--force-color-profile=srgb", "--remote-debugging-pipe")
ANSWER_LIMIT_S = 60


class Browser:
    def __init__(self, folder):
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        # Its ends of the pipes are 3 and 4.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{orders} 4>&{answers}', "sh", *CHROMIUM, f"--user-data-dir={folder}"],
            pass_fds=(orders, answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(orders)
        os.close(answers)
        self.last_id, self.heard, self.events = 0, b"", []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.orders)
        os.close(self.answers)

    def call(self, method, session=None, **arguments):
        """The result of a method. What happens meanwhile is added to `events`."""
        self.last_id += 1
        order = {"id": self.last_id, "method": method, "params": arguments}
        if session:
            order["sessionId"] = session
        os.write(self.orders, json.dumps(order).encode() + b"\0")
        end = time.monotonic() + ANSWER_LIMIT_S
        while True:
            message = self.next_message(end)
            if message.get("id") == self.last_id:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self.events.append(message)

    def next_message(self, end):
        while b"\0" not in self.heard:
            ready = select.select([self.answers], [], [], max(0, end - time.monotonic()))[0]
            data = os.read(self.answers, 1 << 20) if ready else b""
            assert data, "the browser does not answer"
            self.heard += data
        message, self.heard = self.heard.split(b"\0", 1)
        return json.loads(message)

    def open(self, url, dark=False, width=1000, height=900):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=False)
        page.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        page.call("Page.navigate", url=url)
        return page


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def call(self, method, **arguments):
        return self.browser.call(method, self.session, **arguments)

    def value(self, expression):
        """Of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def until(self, expression, limit_s):
        """Its value, as soon as that is something."""
        end = time.monotonic() + limit_s
        while not (value := self.value(expression)):
            assert time.monotonic() < end, f"not within {limit_s} s: {expression}"
            time.sleep(0.2)
        return value

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def happened(self, method):
        """The parameters of each such event so far."""
        return [e["params"] for e in self.browser.events
                if e.get("method") == method and e.get("sessionId") == self.session]
