# SPDX-License-Identifier: MIT
"""Many test programs in one image: each is compiled as it is, its main() is renamed and every other name
made its own, its exit() is the driver's, and the driver (driver/main.c) calls the one that the command line names.

So hundreds of programs cost a few links, and each can still run in a fresh domain. What is compiled, and
how it is run, is said elsewhere. The CPU, the compiler and its flags come from the Makefile (SUITES_ARCH,
SUITES_CC, SUITES_LIBRARIES, CC, LDFLAGS).
"""
import concurrent.futures
import os
import shlex
import subprocess
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ARCH = os.environ.get("SUITES_ARCH", "x86_64")
KIND = {"x86_64": "elf", "arm64": "Image", "arm32": "zImage"}[ARCH]     # what xl starts there
ARCHIVES = [f"{ROOT}/build/{ARCH}/{name}" for name in
            ("libxenolith.a", "newlib/lib/libc.a", "newlib/lib/libm.a")]
ARCHIVES += [f"{ROOT}/{name}" for name in os.environ.get("SUITES_LIBRARIES", "").split()]
CC = os.environ.get("CC", "gcc")
CROSS = CC.removesuffix("gcc")
ANY_IMAGE = f"{ROOT}/build/{ARCH}/hello.elf"        # has the names that linking makes
TESTS_PER_IMAGE = 128


@dataclass
class Program:
    """One test: a main() made from `sources`, called with `args`."""
    name: str                           # as in lists and results: "pthread_create/1-1"
    sources: list                       # paths; of one, mostly
    flags: list = field(default_factory=list)
    args: list = field(default_factory=list)
    kernel_options: list = field(default_factory=list)
    expect: int = 0                     # exit status of success
    compile_only: bool = False          # a header test: that it compiles is the test
    limit: int = 40                     # seconds of the domain's time
    memory: int = 32                    # MiB
    image: str = ""                     # set by link()
    broken: str = ""                    # why it cannot be run
    objects: list = field(default_factory=list)


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)


def fetch_source(package, folder, suite="trixie"):
    subprocess.run([f"{ROOT}/tools/fetch.py", "source", "--suite", suite, "--into", folder, package],
                   check=True)


def compile_one(program, folder):
    """Its objects; `broken` says what the compiler had against it."""
    compiler = shlex.split(os.environ["SUITES_CC"])
    where = os.path.join(folder, program.name.replace("/", "."))
    program.objects = []
    for number, source in enumerate(program.sources):
        target = f"{where}.{number}.o"
        made = run([*compiler, "-w", *program.flags, "-c", source, "-o", target], cwd=ROOT)
        if made.returncode:
            errors = [l for l in made.stdout.splitlines() if " error: " in l]
            program.broken = "does not compile: " + (errors or ["?"])[0].split(" error: ")[-1]
            return
        program.objects.append(target)


def pack(program, folder, symbol):
    """One object whose only global name is `symbol`, its main()."""
    where = os.path.join(folder, program.name.replace("/", "."))
    for command in ([CROSS + "ld", "-r", "-o", where + ".r.o", *program.objects],
                    [CROSS + "objcopy", f"--redefine-sym=main={symbol}",
                     "--redefine-sym=exit=suite_exit", f"--keep-global-symbol={symbol}",
                     where + ".r.o", where + ".o"]):
        made = run(command)
        if made.returncode:
            program.broken = "cannot be packed: " + made.stdout.strip().split("\n")[0]
            return None
    return where + ".o"


class Names:
    """What the libraries define, and what each name of theirs needs in turn."""

    def __init__(self):
        self.member_of, self.needs_of = {}, {}
        # Of these the first is gone from an image when nothing is in it; the rest has driver/absent.c.
        self.linked = {"_GLOBAL_OFFSET_TABLE_", "mmap", "munmap", "ftruncate", "mkstemp", "waitpid"}
        self.linked |= {line.split()[-1] for line in run([CROSS + "nm", ANY_IMAGE]).stdout.splitlines()}
        for archive in [*ARCHIVES, run([CC, "-print-libgcc-file-name"]).stdout.strip()]:
            member = None
            for line in run([CROSS + "nm", "-g", archive]).stdout.splitlines():
                words = line.split()
                if line.endswith(":"):
                    member = (archive, line[:-1])
                    self.needs_of.setdefault(member, set())
                elif len(words) == 2 and words[0] == "U":
                    self.needs_of[member].add(words[1])
                elif len(words) == 3:
                    self.member_of.setdefault(words[2], member)

    def missing(self, objects):
        """The names that nothing defines, of all that these objects need."""
        out, wanted, own = set(), {"main"}, set()
        for line in run([CROSS + "nm", "-g", *objects]).stdout.splitlines():
            words = line.split()
            if len(words) == 2 and words[0] == "U":
                wanted.add(words[1])
            elif len(words) == 3:
                own.add(words[2])
        todo, seen = wanted - own, set(own)
        while todo:
            name = todo.pop()
            seen.add(name)
            if name in self.member_of:
                todo |= self.needs_of[self.member_of[name]] - seen
            elif name not in self.linked:
                out.add(name)
        return out


def build(programs, folder, say):
    """Compile all, link those that can be: sets each program's `image` or `broken`."""
    os.makedirs(folder, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda p: compile_one(p, folder), programs))
        names = Names()
        to_link = [p for p in programs if not p.broken and not p.compile_only]
        for program, missing in zip(to_link, pool.map(lambda p: names.missing(p.objects), to_link)):
            if missing:
                program.broken = "not there: " + ", ".join(sorted(missing))
    to_link = [p for p in to_link if not p.broken]
    say(f"{len(programs)} programs compiled, {len(to_link)} to run")
    for number, first in enumerate(range(0, len(to_link), TESTS_PER_IMAGE)):
        link(to_link[first:first + TESTS_PER_IMAGE], folder, f"tests{number}")


def link(programs, folder, name):
    """One image of these programs and the driver."""
    table, objects = ["struct test { const char *name; int (*run)(int, char **); };"], []
    rows = []
    for number, program in enumerate(programs):
        packed = pack(program, folder, f"suite_test_{number}")
        if packed:
            objects.append(packed)
            table.append(f"int suite_test_{number}(int, char **);")
            rows.append(f'    {{ "{program.name}", suite_test_{number} }},')
    table += ["const struct test suite_tests[] = {", *rows, "    { 0, 0 },", "};"]
    with open(f"{folder}/{name}.c", "w") as file:
        file.write("\n".join(table) + "\n")
    compiler, extra = shlex.split(os.environ["SUITES_CC"]), []
    for source in (f"{folder}/{name}.c", f"{HERE}/driver/main.c", f"{HERE}/driver/absent.c"):
        extra.append(f"{folder}/{name}.{os.path.basename(source)}.o")
        made = run([*compiler, "-w", "-c", source, "-o", extra[-1]], cwd=ROOT)
        if made.returncode:
            raise SystemExit(made.stdout)
    libgcc = run([CC, "-print-libgcc-file-name"]).stdout.strip()
    made = run(["tools/link.sh", "suite", f"{folder}/{name}.elf", "-Wl,--start-group", *extra, *objects,
                *ARCHIVES, "-Wl,--end-group", libgcc], cwd=ROOT, env=dict(os.environ, CFLAGS="-fno-pie"))
    if made.returncode:
        raise SystemExit(f"suites: {name} does not link:\n{made.stdout}")
    image = f"{folder}/{name}.{KIND}"
    if KIND != "elf":
        subprocess.run([CROSS + "objcopy", "-O", "binary", f"{folder}/{name}.elf", image], check=True)
    for program in programs:
        if not program.broken:
            program.image = image
