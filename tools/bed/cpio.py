# SPDX-License-Identifier: MIT
"""cpio archives ("newc"), the form of an initramfs and of what a scenario is given.

Written here because an archive made by a tool on disk would need root for its device nodes.
Linux Documentation/driver-api/early-userspace/buffer-format.rst.
"""
import os
import stat


class Archive:
    """A cpio archive in the making."""

    def __init__(self):
        self.parts, self.names = [], set()

    def add(self, name, mode, data=b"", device=(0, 0)):
        parent = os.path.dirname(name)
        if parent and parent not in self.names:
            self.add(parent, stat.S_IFDIR | 0o755)
        if name in self.names:
            return
        self.names.add(name)
        encoded = name.encode() + b"\0"
        fields = (len(self.names), mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
        self.parts += [head, b"\0" * (-len(head) % 4), data, b"\0" * (-len(data) % 4)]

    def file(self, name, data, mode=0o755):
        self.add(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def done(self):
        self.names.discard("TRAILER!!!")
        self.add("TRAILER!!!", 0)
        return b"".join(self.parts)
