# SPDX-License-Identifier: MIT
"""The conversation with dom0 over the machine's two ports: an order in, output and results out.

The protocol is described in dom0/scenario.sh. All waiting is done in pump(), so that whoever runs a
scenario can stop at any time. What the results mean is session.py's business.
"""
import os
import selectors
import stat

from cpio import Archive
from image import HERE, BedError, read

QUIT_KEY = b"\x1c"      # Ctrl-\, of a shell; a console is left by Ctrl-C


def payload(script, files, now_s=None):
    """The archive dom0 unpacks in /scenario. files: {name: path on this machine, or bytes};
    now_s: time of day for dom0 (the snapshot's is that of its making)."""
    archive = Archive()
    for name, source in files.items():
        mode = 0o644 if isinstance(source, bytes) else stat.S_IMODE(os.stat(source).st_mode)
        archive.file(name, source if isinstance(source, bytes) else read(source), mode)
    archive.file(".bed/script", script.encode(), 0o644)
    if now_s:
        archive.file(".bed/now", f"@{now_s:.0f}".encode(), 0o644)
    for name in ("scenario.sh", "lib.sh"):
        archive.file(".bed/" + name, read(f"{HERE}/dom0/{name}"), 0o644)
    return archive.done()


class Link:
    """The conversation with one restored dom0, until it is done or its time is up."""

    def __init__(self, machine, order, data, on_output, stdin=None):
        """order: (kind, columns, rows) as in dom0/scenario.sh; stdin: a file descriptor or None."""
        self.machine, self.on_output = machine, on_output
        self.talk = machine.serial if order[0] == "shell" else machine.stream
        self.code, self.archive, self.output = None, None, bytearray()
        self.answer, self.expected, self.started = bytearray(), None, False
        self.to_control = bytearray(f"go {order[0]} {len(data)} {order[1]} {order[2]}\n".encode()
                                    + data)
        self.to_talk = bytearray()
        self.selector = selectors.PollSelector()    # unlike epoll, it takes any file
        for sock in (machine.control, self.talk):
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)
        if stdin is not None:
            self.selector.register(stdin, selectors.EVENT_READ)
        self.stdin = stdin
        self.pump(0)        # the order waits in the port before dom0 goes on: runs repeat better

    def done(self):
        return self.code is not None and len(self.archive) >= self.expected

    def abort(self):
        self.to_control += b"abort\n"

    def pump(self, wait_s):
        """Move what can be moved now; wait that long for something to move."""
        for sock, data in ((self.machine.control, self.to_control),
                           (self.talk, self.to_talk)):
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if data else 0)
            self.selector.modify(sock, events)
        for key, events in self.selector.select(wait_s):
            if key.fileobj is self.stdin:
                self.read_stdin()
                continue
            self.move(key.fileobj, events)

    def move(self, sock, events):
        try:
            if events & selectors.EVENT_WRITE:
                data = self.to_talk if sock is self.talk else self.to_control
                del data[:sock.send(data[:1 << 16])]
            data = sock.recv(1 << 16) if events & ~selectors.EVENT_WRITE else None
        except ConnectionError:
            data = b""
        if data == b"":
            raise BedError(f"QEMU ended {self.machine.stderr()}".strip())
        if data:
            self.received(sock, data)

    def read_stdin(self):
        data = os.read(self.stdin, 4096)
        if self.talk is self.machine.serial and QUIT_KEY in data:
            raise KeyboardInterrupt
        if data:
            self.to_talk += data
        else:
            self.selector.unregister(self.stdin)

    def received(self, sock, data):
        if sock is self.talk:
            self.output += data
            if self.on_output:
                self.on_output(data)
        elif self.code is not None:
            self.archive += data
        else:
            self.answer += data
            while self.code is None and b"\n" in self.answer:
                line, _, self.answer = self.answer.partition(b"\n")
                words = line.split()
                if words == [b"started"]:
                    self.started = True
                elif words and words[0] == b"done":
                    self.code, self.expected = int(words[1]), int(words[2])
                    self.archive, self.answer = self.answer, bytearray()
