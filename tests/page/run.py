#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the developer sees of `make run`: the web server of the domain from this machine, by curl, by
bare sockets and by a browser. The last line is "N passed, N failed".

usage: run.py [PATTERN]

Screenshots are left in build/test-logs/: page-light.png, page-dark.png.
"""
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from browser import Browser

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOGS = os.path.join(ROOT, "build/test-logs")
ROW = b"Xenolith 0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOP\n"
START_LIMIT_S = 180     # a bed that must be made first is made before
ANSWER_LIMIT_S = 60


def free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


class Run:
    """A `make run` of its own, as from a terminal but for the clock."""

    def __init__(self, *variables):
        self.port = free_port()
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["make", "-s", "--no-print-directory", "run", f"PORT={self.port}", *variables], cwd=ROOT,
            env={**os.environ, "CLOCK": "paced"}, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # ignored in the background

    def text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def says(self, text, limit_s=START_LIMIT_S):
        end = time.monotonic() + limit_s
        while text not in self.text():
            assert self.process.poll() is None and time.monotonic() < end, \
                f"make run does not say {text!r}:\n{self.text()}"
            time.sleep(0.1)

    def interrupt(self):
        """As Ctrl-C does. The exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(20)

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-sS", "--max-time", str(ANSWER_LIMIT_S), *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 0, f"curl {arguments}: {done.stderr.decode()}"
        return done.stdout

    def status(self, request):
        """The status of the answer to these bytes; the server ends the connection after it."""
        with socket.create_connection(("127.0.0.1", self.port), ANSWER_LIMIT_S) as sock:
            sock.sendall(request)
            answer = b""
            while data := sock.recv(65536):
                answer += data
        assert answer.startswith(b"HTTP/1.1 "), answer[:80]
        assert b"\r\nConnection: close\r\n" in answer, answer[:400]
        return int(answer[9:12])

    def stats(self):
        return json.loads(self.curl(self.url("/stats.json")))


run = None      # the domain that all tests use


def pattern(size):
    return (ROW * (size // len(ROW) + 1))[:size]


def test_page_is_one_file(folder):
    html = run.curl(run.url("/")).decode()
    assert html.startswith("<!doctype html>") and html.rstrip().endswith("</html>")
    outside = [link for link in re.findall(r"(?:src|href)=[\"']?([^\"' >]+)|url\(([^)]+)\)", html)
               if not link[0].startswith("data:")]
    assert not outside, outside


def test_page_figures(folder):
    first = run.stats()
    for key in ("now_ns", "vcpus", "memory", "memory_free", "threads", "switches", "upcalls", "events", "packets_in",
                "bytes_in", "packets_out", "bytes_out", "requests", "connections"):
        assert first[key] > 0, (key, first)
    assert len(first["idle_ns"]) == first["vcpus"] == 2, first
    time.sleep(1)
    second = run.stats()
    assert second["requests"] == first["requests"] + 1, (first, second)
    for key in ("now_ns", "switches", "upcalls", "events", "packets_in", "bytes_out"):
        assert second[key] > first[key], (key, first, second)
    for before, after in zip(first["idle_ns"], second["idle_ns"]):
        assert 0 <= after - before <= second["now_ns"] - first["now_ns"], (first, second)


def test_page_bytes(folder):
    for size in (0, 1, 1024, 65537, 3000000, 16 << 20):
        got = run.curl(run.url(f"/bytes/{size}"))
        assert len(got) == size and hashlib.md5(got).digest() == hashlib.md5(pattern(size)).digest(), size


def test_page_bytes_without_end(folder):
    """A TiB in a domain of 32 MiB: some of it, and then the client has enough."""
    with socket.create_connection(("127.0.0.1", run.port), ANSWER_LIMIT_S) as sock:
        sock.sendall(b"GET /bytes/1099511627776 HTTP/1.0\r\n\r\n")
        got = b""
        while len(got) < 8 << 20:
            data = sock.recv(1 << 20)
            assert data
            got += data
    header, body = got.split(b"\r\n\r\n", 1)
    assert b"\r\nContent-Length: 1099511627776\r\n" in header, header
    assert body == pattern(len(body))
    assert run.status(b"GET /nothing HTTP/1.0\r\n\r\n") == 404


def test_page_keep_alive(folder):
    urls = [run.url(path) for path in ("/", "/stats.json", "/bytes/100", "/nothing/there", "/bytes/10")]
    said = run.curl("-w", " %{http_code}:%{num_connects}", *sum((["-o", "/dev/null", u] for u in urls), []))
    assert said.split() == b"200:1 200:0 200:0 404:0 200:0".split(), said


def test_page_pipelined(folder):
    one = b"GET /bytes/3 HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", run.port), ANSWER_LIMIT_S) as sock:
        sock.sendall(one * 200 + b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = b""
        while data := sock.recv(65536):
            got += data
    assert got.count(b"HTTP/1.1 200 OK\r\n") == 200 and got.count(b"\r\n\r\nXen") == 200, got[:200]
    assert got.count(b"HTTP/1.1 404 ") == 1


def test_page_head(folder):
    for path, size in (("/bytes/123456789012", b"123456789012"), ("/", None), ("/stats.json", None)):
        got = run.curl("--head", run.url(path))
        assert got.startswith(b"HTTP/1.1 200 OK\r\n") and got.endswith(b"\r\n\r\n"), got
        assert not size or b"Content-Length: " + size + b"\r\n" in got, got


def test_page_bad_requests(folder):
    for request, status in (
            (b"nonsense\r\n\r\n", 400), (b"GET\r\n\r\n", 400), (b"\x16\x03\x01\x02\r\n", 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            (b"GET / HTTP/1.0\r\nA b: c\r\n\r\n", 400), (b"GET / HTTP/1.0\r\n folded\r\n\r\n", 400),
            (b"GET relative HTTP/1.0\r\n\r\n", 400), (b"GET /\0 HTTP/1.0\r\n\r\n", 400),
            (b"GET / HTTP/1.0\r\nContent-Length: x\r\n\r\n", 400),
            (b"GET /nothing HTTP/1.0\r\n\r\n", 404), (b"GET /bytes/ HTTP/1.0\r\n\r\n", 404),
            (b"GET /bytes/-1 HTTP/1.0\r\n\r\n", 404), (b"GET /bytes/99999999999999999999 HTTP/1.0\r\n\r\n", 404),
            (b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", 405), (b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
            (b"GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", 413),
            (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
            (b"GET /" + b"a" * 3000 + b" HTTP/1.0\r\n\r\n", 414), (b"a" * 20000, 414),
            (b"GET / HTTP/1.0\r\nA: " + b"b" * 20000 + b"\r\n\r\n", 431), (b"GET / HTTP/2.0\r\n\r\n", 505)):
        got = run.status(request)
        assert got == status, f"{request[:60]}: {got}, not {status}"


def test_page_slow_clients_are_told(folder):
    """One that never ends its request, a byte at a time."""
    with socket.create_connection(("127.0.0.1", run.port), ANSWER_LIMIT_S) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-")
        sock.settimeout(1)
        end, got = time.monotonic() + ANSWER_LIMIT_S, b""
        while not got and time.monotonic() < end:
            try:
                got = sock.recv(4096)
            except TimeoutError:
                sock.sendall(b"a")
    assert got.startswith(b"HTTP/1.1 408 "), got


def test_page_abusers_do_not_stop_others(folder):
    """100 that never end their request, and 20 that ask for much and take nothing."""
    slow = [socket.create_connection(("127.0.0.1", run.port), ANSWER_LIMIT_S) for _ in range(120)]
    try:
        for sock in slow[:100]:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        for sock in slow[100:]:
            sock.sendall(b"GET /bytes/1000000000000 HTTP/1.0\r\n\r\n")
        for _ in range(10):
            begin = time.monotonic()
            stats = run.stats()
            assert time.monotonic() - begin < 10
        assert stats["connections"] > 100, stats
        assert run.curl(run.url("/bytes/100000")) == pattern(100000)
    finally:
        for sock in slow:
            sock.close()


def watch_page(folder, name, dark):
    with Browser(folder) as browser:
        page = browser.open(run.url("/"), dark)
        page.until("document.querySelectorAll('#plot path.curve').length == 2", ANSWER_LIMIT_S)
        first = page.value("document.getElementById('curve-out').getAttribute('d')")
        figures = page.value("document.querySelector('main').innerText")
        page.value("document.querySelector('#load button').click()")
        page.until(f"document.getElementById('curve-out').getAttribute('d') != {json.dumps(first)}", 20)
        page.until(f"document.querySelector('main').innerText != {json.dumps(figures)}", 20)
        # What was asked for shows in the plot: it is no longer scaled to a few KiB.
        page.until("/MiB/.test(document.querySelector('#plot text').textContent)", ANSWER_LIMIT_S)
        page.until("/[1-9].*B.s/.test(document.querySelector('#load span').textContent)", ANSWER_LIMIT_S)
        page.until("document.querySelectorAll('#vcpus .meter').length == 2", 20)
        page.until("document.getElementById('curve-in').getAttribute('d').split('L').length > 12", ANSWER_LIMIT_S)
        page.screenshot(os.path.join(LOGS, f"page-{name}.png"))
        assert page.value("document.getElementById('alive').textContent") == "live"
        strangers = [e["request"]["url"] for e in page.happened("Network.requestWillBeSent")
                     if not e["request"]["url"].startswith((run.url("/"), "data:"))]
        assert not strangers, strangers
        errors = page.happened("Runtime.exceptionThrown") + page.happened("Log.entryAdded")
        assert not errors, errors


def test_page_in_a_browser(folder):
    watch_page(folder, "light", dark=False)


def test_page_in_a_dark_browser(folder):
    watch_page(folder, "dark", dark=True)


def test_page_port_in_use(folder):
    done = subprocess.run(["make", "-s", "--no-print-directory", "run", f"PORT={run.port}"], cwd=ROOT, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=START_LIMIT_S, check=False)
    assert done.returncode != 0 and f"port {run.port} of 127.0.0.1 cannot be had" in done.stdout, done.stdout
    assert f"make run PORT={run.port + 1}" in done.stdout, done.stdout


def test_page_run_of_another_program(folder):
    done = subprocess.run(["make", "-s", "--no-print-directory", "run", "APP=hello"], cwd=ROOT, text=True,
                          env={**os.environ, "CLOCK": "paced"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=START_LIMIT_S, check=False)
    assert done.returncode == 0 and "Hello\n" in done.stdout, done.stdout


def test_page_ctrl_c_ends_it(folder):
    """The last one: it is `run` that ends."""
    assert run.interrupt() in (0, -signal.SIGINT), run.text()
    assert "ended from the keyboard" in run.text(), run.text()
    assert "Traceback" not in run.text() and "Error" not in run.text(), run.text()


def main():
    global run
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    tests = [(name[5:], test) for name, test in globals().items()
             if name.startswith("test_") and wanted in name]
    failed = 0
    os.makedirs(LOGS, exist_ok=True)
    if tests:
        run = Run("APP=http", "VCPUS=2")
    try:
        for number, (name, test) in enumerate(tests, 1):
            begin = time.monotonic()
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                try:
                    run.says("vif0: 10.")
                    test(folder)
                    print(f"ok {number} - page: {name} ({time.monotonic() - begin:.1f} s)", flush=True)
                except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                    failed += 1
                    print(f"not ok {number} - page: {name}: {error}", flush=True)
    finally:
        if run:
            run.end()
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
