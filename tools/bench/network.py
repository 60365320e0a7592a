# SPDX-License-Identifier: MIT
"""The rows of the benchmark table that are about the network: a domain on dom0's bridge.

network.c is the domain's program on both sides and network_client.c, in dom0, the other end of both; the
web page is apps/http's, and in the Linux domU that of a server from a Debian package. Everything is in
instruction time, on one CPU that dom0, Xen and the domain share: a rate says how much all three do for
each byte, packet or request.
"""
import glob
import lzma
import os
import re
import stat

from image import ARCHS, BedError, add_libraries, fetch, read

ADDRESS, MAC = "10.0.2.30", "00:16:3e:00:00:30"
CLIENT_SOURCE = "network_client.c"
LINUX_SOURCES = ("network.c", "network_linux.c")
LINUX_MODULE = "xen-netfront"
MIB = 128           # of memory, on both sides
CONNECTIONS, PAGE, PAGE_LEN = 64, "/bytes/1024", 1024
# The Linux domU's web server; docs/BENCHMARKS.md says what it was chosen from.
SERVER, SERVER_PACKAGE = "/usr/sbin/lighttpd,-D,-f,/etc/lighttpd.conf", "lighttpd"
SERVER_CONF = b"""server.document-root = "/www"
server.port = 80
server.modules = ()
server.max-keep-alive-requests = 1000000000
server.max-fds = 1024
server.stat-cache-engine = "simple"
mimetype.assign = ("" => "text/plain")
"""

# Units: how a figure is made of the measured ns, and whether more is better.
TIME = "instructions", lambda ns: ns, False
RATE = "Mbit/s", lambda ns: 8e3 * (1 << 20) / ns, True
PER_SECOND = "/s", lambda ns: 1e9 / ns, True
MEMORY = "MiB", lambda mib: mib, False
# Key of what was measured, which of its two figures, name, unit, must, aim: times Linux's, or MiB.
ROWS = [
    ("net_tcp_in", 0, "TCP received, from dom0", RATE, 1.0, 1.5),
    ("net_tcp_out", 0, "TCP sent, to dom0", RATE, 1.0, 1.5),
    ("net_tcp_in", 1, "a MiB of TCP received: the domain's part", TIME, 0.7, 0.4),
    ("net_tcp_out", 1, "a MiB of TCP sent: the domain's part", TIME, 0.7, 0.4),
    ("net_ping", 0, "ping, there and back, by the clock", TIME, 0.9, 0.6),
    ("net_ping", 1, "ping: the domain's part", TIME, None, None),
    ("net_request", 0, "TCP request and response, a byte each, by the clock", TIME, 0.9, 0.6),
    ("net_request", 1, "TCP request and response: the domain's part", TIME, None, None),
    ("net_udp_in", 0, "UDP, 64 bytes, received", PER_SECOND, 1.0, 2.0),
    ("net_udp_in", 1, "UDP received: the domain's part of a datagram", TIME, None, None),
    ("net_udp_out", 0, "UDP, 64 bytes, sent", PER_SECOND, 1.0, 2.0),
    ("net_udp_out", 1, "UDP sent: the domain's part of a datagram", TIME, None, None),
    ("net_http", 0, f"HTTP requests, {CONNECTIONS} connections, 1 KiB", PER_SECOND, 1.5, 3.0),
    ("net_http", 1, "HTTP: the domain's part of a request", TIME, None, None),
    ("net_http_first", 1, "unpause to the first HTTP answer: the domain's part", TIME, 0.1, 0.02),
    ("net_http_first", 0, "unpause to the first HTTP answer, by the clock", TIME, None, None),
    ("net_http_mib", 0, "smallest domain that serves HTTP", MEMORY, 8, 5),
]

LINUX_BY = {key: SERVER_PACKAGE for key in ("net_http", "net_http_first", "net_http_mib")}

# The bridge's way out is shut: somebody out there might answer in the domain's place.
COMMON = f"""
address={ADDRESS} mac={MAC} mib={MIB} page={PAGE} page_len={PAGE_LEN} connections={CONNECTIONS}
""" + """
brctl delif xenbr0 eth0
arp -s $address $mac
start() { create "$@" 'vif=["bridge=xenbr0,mac='$mac'"]'; }     # NAME KERNEL [LINE...]
reaches() { ping -q -c 1 -W 1 $address >/dev/null; }
serves() { [ "$(timeout 2 wget -q -O - http://$address$page | wc -c)" = $page_len ]; }
cpu_ns() { /scenario/boottime "$(xl domid "$1")"; }
load() {    # SECONDS: wrk's report
    LD_LIBRARY_PATH=/scenario/wrk-lib /scenario/wrk -t 1 -c $connections -d "$1" http://$address:80$page
}
end() { xl destroy "$1" && wait_for 10 is_gone "$1"; }
"""
EXCHANGE = COMMON + """
start net %(kernel)s memory=$mib 'tsc_mode="native"' && wait_for 30 reaches &&
    ./network_client $address && end net
"""
WEB = COMMON + """
create_paused=-p
start first %(kernel)s memory=$mib && create_paused= &&
    times=$(./boottime "$(xl domid first)" $address $page 60) && echo "bench net_http_first $times" && end first || exit 1
start web %(kernel)s memory=$mib 'tsc_mode="native"' && wait_for 30 serves && load 1 >/dev/null || exit 1
before=$(cpu_ns web) && [ "$before" -gt 0 ] && load 2 && echo "web's own $(($(cpu_ns web) - before))" && end web
"""
# By halves, where each attempt takes long; the bounds are tried too.
SMALLEST = COMMON + """
step=%(step)d low=%(low)d high=%(high)d
works() {
    start "web$1" %(kernel)s "memory=$1" >/dev/null || return 1
    wait_for 10 serves && load 1 >report && ! grep -q -e "Socket errors" -e "Non-2xx" report
    set -- "$1" $?
    end "web$1"
    return $2
}
works $low && { echo "smallest $low"; exit; }
works $high || exit 1
while [ $((high - low)) -gt $step ]; do
    mid=$((low + (high - low) / step / 2 * step))
    if works $mid; then high=$mid; else low=$mid; fi
done
echo "smallest $high"
"""


class Files(dict):
    """What add_libraries() adds, as files of a scenario."""

    def file(self, name, data):
        self["wrk-lib/" + os.path.basename(name)] = data


def dom0_files(bed, folder, compile_program):
    """The programs in dom0: ours, and wrk, which lies beside dom0's own libraries."""
    client = f"{folder}/network_client"
    compile_program((CLIENT_SOURCE,), client)
    unpacked = f"{folder}/{bed.snapshot.image.suite}-wrk"
    fetch(bed.snapshot.image.suite, unpacked, ["wrk"], with_deps=True, arch=bed.snapshot.image.arch)
    wrk = f"{unpacked}/usr/bin/wrk"
    files = Files({"network_client": client, "wrk": wrk, "boottime": bed.tool("boottime")})
    add_libraries(files, unpacked, ARCHS[bed.snapshot.image.arch][1], [wrk])
    return files


def add_linux_module(archive, image, folder):
    """netfront is no part of dom0's image: from the package that dom0's kernel is of."""
    unpacked = f"{folder}/{image.suite}-linux"
    fetch(image.suite, unpacked, [f"linux-image-{ARCHS[image.arch][0]}"], arch=image.arch)
    kernel = sorted(glob.glob(f"{unpacked}/boot/vmlinuz-*"))[-1]
    release = os.path.basename(kernel)[len("vmlinuz-"):]
    found = glob.glob(f"{unpacked}/**/modules/{release}/**/{LINUX_MODULE}.ko*", recursive=True)
    if read(kernel) != read(image.kernel) or not found:
        raise BedError(f"no {LINUX_MODULE} for dom0's kernel in {unpacked}: remove that folder")
    data = read(found[0])
    archive.file(f"modules/9-{LINUX_MODULE}.ko",
                 lzma.decompress(data) if found[0].endswith(".xz") else data, 0o644)


def add_linux_server(archive, image, folder):
    unpacked = f"{folder}/{image.suite}-{SERVER_PACKAGE}"
    fetch(image.suite, unpacked, [SERVER_PACKAGE], with_deps=True, arch=image.arch)
    for name in ("lib", "lib64"):
        archive.add("usr/" + name, stat.S_IFDIR | 0o755)
        archive.link(name, "usr/" + name)
    program = unpacked + SERVER.split(",", maxsplit=1)[0]
    archive.file(program[len(unpacked) + 1:], read(program))
    add_libraries(archive, unpacked, ARCHS[image.arch][1], [program])
    archive.file("etc/lighttpd.conf", SERVER_CONF, 0o644)
    archive.file("www" + PAGE, b"x" * PAGE_LEN, 0o644)


def figures_of(output):
    """{key: (first figure, second figure)} of what the scripts wrote; see ROWS."""
    found = {name: (float(first), float(second)) for name, first, second in re.findall(
        r"^bench (net_\w+) ([\d.]+) ([\d.]+)$", output, re.M)}
    load = re.search(r"^ +(\d+) requests in ([\d.]+)s.*?^web's own (\d+)$", output, re.M | re.S)
    if load:
        if "Socket errors" in output or "Non-2xx" in output:
            raise BedError(f"wrk had errors:\n{output}")
        requests = int(load.group(1))
        found["net_http"] = 1e9 * float(load.group(2)) / requests, int(load.group(3)) / requests
    smallest = re.search(r"^smallest (\d+)$", output, re.M)
    if smallest:
        found["net_http_mib"] = int(smallest.group(1)), None
    return found


def rows(ours, linux):
    """The rows' figures and what they must reach, in the form of bench.py's rows."""
    result = []
    for key, which, name, (unit, figure, more), must, aim in ROWS:
        # pylint: disable-next=not-callable
        sides = [figure(side[key][which]) if key in side else None for side in (ours, linux)]
        times = None if unit == "MiB" else sides[1]
        limits = [limit if limit is None or unit == "MiB" else times and limit * times
                  for limit in (must, aim)]
        result.append({"key": f"{key}_{which}", "name": name, "unit": unit, "more": more,
                       "xenolith": sides[0], "linux": sides[1], "must": limits[0],
                       "aim": limits[1], "linux_by": LINUX_BY.get(key)})
    return result


def exchange(run, kernel):
    """Figures by key, as the next two. run: takes a script and a limit in s, and returns what it wrote; kernel: the
    domain's, with the further lines of its configuration, for the shell."""
    return figures_of(run(EXCHANGE % {"kernel": kernel}, 600))


def web(run, kernel):
    return figures_of(run(WEB % {"kernel": kernel}, 600))


def smallest_web(run, kernel, step, low, high):
    """step, low, high: MiB, where it is looked for."""
    return figures_of(run(SMALLEST % {"kernel": kernel, "step": step, "low": low, "high": high}, 600))
