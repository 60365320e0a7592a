# SPDX-License-Identifier: MIT
"""One QEMU machine with Xen in it: its arguments and its monitor.

Nothing here knows what the machine does: snapshot.py saves and restores it, link.py talks to dom0.
"""
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import time

from image import BedError

QEMU = {"x86_64": "qemu-system-x86_64", "arm64": "qemu-system-aarch64", "arm32": "qemu-system-arm"}
MEMORY_MIB = 6144       # room for a domain of 4 GiB; what nobody touches costs nothing
DOM0_MIB = 512          # dom0 has one vCPU: with two, a busy host makes `xl create` ten times slower,
                        # as each TLB flush waits for a CPU thread that the host doesn't run
CLOCKS = {
    # Two CPUs that run at the same time, for function tests and races; its times are noise.
    "multi": ["-accel", "tcg,thread=multi", "-smp", "2"],
    # One instruction is one virtual nanosecond, for measurements that repeat.
    "counted": ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-smp", "1"],
    # The same, but a second in which nobody has anything to do takes one: for clients outside.
    "paced": ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=on", "-smp", "1"],
}
SAVED_AS = {"paced": "counted"}     # whose snapshot a clock runs from; else its own
ANSWER_LIMIT_S = 30


class Monitor:
    """QEMU's control channel (QMP), one command at a time."""

    def __init__(self, sock):
        self.sock, self.file = sock, sock.makefile("rb")
        sock.settimeout(ANSWER_LIMIT_S)
        self.read()
        self.call("qmp_capabilities")

    def read(self):
        try:
            line = self.file.readline()
        except OSError:
            line = b""
        if not line:
            raise BedError("QEMU ended unexpectedly")
        return json.loads(line)

    def call(self, command, **arguments):
        try:
            self.sock.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        except OSError as error:
            raise BedError("QEMU ended unexpectedly") from error
        while True:
            answer = self.read()
            if "error" in answer:
                raise BedError(f"QEMU refused {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def migrated(self, limit_s):
        """Wait until a save or restore is over."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            status = self.call("query-migrate").get("status")
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                break
            time.sleep(0.01)
        raise BedError("QEMU could not save or restore the machine")


class Machine:
    """A running QEMU. `control` and `stream` are the host ends of dom0's two ports."""

    def __init__(self, image, clock, ram, share, serial, extra=(), forward=()):
        """serial: a file descriptor that gets Xen's and dom0's console; None: `serial` is its other
        end, to be read and written."""
        qemu = QEMU[image.arch]
        if not shutil.which(qemu):
            raise BedError(f"{qemu} is missing: run tools/host-packages.sh bed")
        ends = {name: socket.socketpair() for name in ("qmp", "control", "stream", "serial")}
        self.control, self.stream, self.serial = (
            ends[name][0] for name in ("control", "stream", "serial"))
        command, fds = [qemu, *arguments(image, clock, ram, share, forward)], []
        for name, (_, far) in ends.items():
            if name == "serial" and serial is not None:
                command += ["-chardev", f"file,id=serial,path=/proc/self/fd/{serial}"]
                fds.append(serial)
            else:
                command += ["-chardev", f"socket,id={name},fd={far.fileno()}"]
                fds.append(far.fileno())
        command += ["-mon", "chardev=qmp,mode=control"]
        self.errors = os.memfd_create("qemu-stderr")
        self.process = subprocess.Popen(
            command + list(extra), pass_fds=fds, stdin=subprocess.DEVNULL, stdout=self.errors,
            stderr=self.errors, start_new_session=True, preexec_fn=die_with_parent)
        for _, far in ends.values():
            far.close()
        try:
            self.monitor = Monitor(ends["qmp"][0])
        except (BedError, OSError) as error:
            self.close()
            raise BedError(f"QEMU did not start: {self.stderr() or error}") from error

    def stderr(self):
        """What QEMU has said; it says nothing when all is well."""
        if self.errors < 0:
            return ""
        return os.pread(self.errors, 4096, 0).decode(errors="replace").strip()

    def close(self):
        """End QEMU at once; nothing in it is worth keeping. Once more does no harm."""
        if self.errors < 0:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for sock in (self.control, self.stream, self.serial):
            sock.close()
        os.close(self.errors)
        self.errors = -1


def die_with_parent():
    """In the new process: let no QEMU outlive a parent that was killed (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def network(share, forward):
    """What a run adds to QEMU's network: ports, and addresses behind dom0's own (10.0.2.15) for the
    domains that ask for one. A rule without an address is for the first of these."""
    if share:
        return ""
    return ",dhcpstart=10.0.2.16" + "".join(f",hostfwd={rule}" for rule in forward)


def arguments(image, clock, ram, share, forward=()):
    """QEMU's arguments; ram: None where the machine is never saved."""
    if image.arch == "x86_64":
        return x86_arguments(image, clock, ram, share, forward)
    return arm_arguments(image, clock, forward)


ARM_CPUS = {"arm64": "cortex-a57", "arm32": "cortex-a15"}
# A 32-bit dom0's devices must be below 4 GiB.
ARM_HIGHMEM = {"arm64": "on", "arm32": "off"}
ARM_MEMORY_MIB = 3072


def arm_arguments(image, clock, forward):
    """Xen is started as QEMU starts a Linux, dom0's parts are found in memory by the device tree. Below
    0x50000000 they would collide with that."""
    return [
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-M", f"virt,virtualization=on,gic-version={image.gic},highmem={ARM_HIGHMEM[image.arch]}",
        "-cpu", image.cpu or ARM_CPUS[image.arch],
        "-m", str(ARM_MEMORY_MIB), *CLOCKS[clock],
        "-kernel", image.xen,
        "-append", "console=dtuart dtuart=/pl011@9000000 loglvl=warning guest_loglvl=all bootscrub=0 "
                   f"sched_ratelimit_us=0 dom0_mem={DOM0_MIB}M dom0_max_vcpus=1",
        "-device", f"guest-loader,addr=0x50000000,kernel={image.kernel},bootargs=console=hvc0 quiet panic=1",
        "-device", f"guest-loader,addr=0x58000000,initrd={image.initrd}",
        "-serial", "chardev:serial",
        "-device", "virtio-serial-pci,id=ports,disable-legacy=on",
        "-device", "virtserialport,bus=ports.0,nr=1,chardev=control,name=bed.control",
        "-device", "virtserialport,bus=ports.0,nr=2,chardev=stream,name=bed.stream",
        "-netdev", "user,id=net0" + network(False, forward),
        "-device", "virtio-net-pci,netdev=net0,romfile=,disable-legacy=on",
    ]


def x86_arguments(image, clock, ram, share, forward):
    """QEMU's arguments; the same in save and run but for `share`, which says that this is a save, the
    forwarded ports and a clock that only runs."""
    # TCG of QEMU 7.2 lacks what Xen expects of SMAP for itself (dom0 dies; so it and SMEP are for HVM and PVH
    # domains alone) and of RDTSCP (PVH Linux dies); that of QEMU 10 reads the clock in x2APIC registers
    # where instruction counting forbids it ("Bad icount read", and QEMU ends). Xen must not put off saving the FPU (eager-fpu): when domains change places
    # on both CPUs, dom0's programs find other programs' registers in it, and die.
    backend = f"memory-backend-file,id=ram,size={MEMORY_MIB}M,mem-path={ram.replace(',', ',,')}"
    backend += ",share=on" if share else ",share=off,reserve=off"
    return [
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-M", "pc,memory-backend=ram", "-m", str(MEMORY_MIB), "-object", backend,
        *CLOCKS[clock], "-cpu", "max,-rdtscp,-x2apic",
        "-kernel", image.xen,
        "-initrd", f"{image.kernel} console=hvc0 quiet,{image.initrd}",
        "-append", "console=com1 com1=115200 loglvl=warning guest_loglvl=all spec-ctrl=no,eager-fpu bootscrub=0 "
                   "smep=hvm smap=hvm "
                   f"sched_ratelimit_us=0 dom0_mem={DOM0_MIB}M,max:{DOM0_MIB}M dom0_max_vcpus=1",
        "-serial", "chardev:serial",
        "-device", "virtio-serial-pci,id=ports,disable-legacy=on",
        "-device", "virtserialport,bus=ports.0,nr=1,chardev=control,name=bed.control",
        "-device", "virtserialport,bus=ports.0,nr=2,chardev=stream,name=bed.stream",
        "-netdev", "user,id=net0" + network(share, forward),
        "-device", "virtio-net-pci,netdev=net0,romfile=,disable-legacy=on",
    ]
