#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Get Debian packages into build/ without root and without touching the machine's own apt state.

The mirror is the one this machine's apt is configured with; only the suite (and architecture)
changes. Signatures are checked by apt, checksums once more here and against tools/packages.txt.

  fetch.py deb --suite trixie [--arch arm64] [--with-deps] --into DIR PKG...
        download (once, to build/downloads/debs/) and unpack into DIR with dpkg -x
  fetch.py source --suite trixie --into DIR SRCPKG...
        download a source package and unpack it into DIR/SRCPKG
  fetch.py --list       what is cached
  fetch.py --record     write what is cached to tools/packages.txt (for Xenolith's maintainers)

PKG is a name, a glob ('linux-image-6.1*-amd64') or a regular expression that starts with '^'; of
several matches the newest is taken. A kernel metapackage (linux-image-amd64) stands for the kernel
it names. DIR/.fetched lists what DIR already holds: asking again costs nothing and needs no
network. Remove DIR to unpack again; remove build/downloads/apt/ to look for newer versions.
"""
import argparse
import fcntl
import fnmatch
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOWNLOADS = os.path.join(ROOT, "build", "downloads")
DEBS = os.path.join(DOWNLOADS, "debs")
SOURCES = os.path.join(DOWNLOADS, "sources")
PACKAGES_TXT = os.path.join(ROOT, "tools", "packages.txt")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ENV = dict(os.environ, LC_ALL="C", DEBIAN_FRONTEND="noninteractive")


class FetchError(Exception):
    """Something the user must know about; printed without a traceback."""


class Gone(FetchError):
    """The index lacks a package, or the mirror a version the index names: the index may be old."""


def say(text):
    print("fetch: " + text, flush=True)


def size_text(size):
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def sha256_of(path):
    import hashlib
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


class Lock:
    """Exclusive lock on a file for the life of a `with`; other fetches wait their turn."""

    def __init__(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.file = open(path, "w")

    def __enter__(self):
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another fetch to finish")
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


def machine_mirrors():
    """(main archive, security archive or None) as this machine's apt has them configured."""
    fields = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)"
    out = subprocess.run(["apt-get", "indextargets", "--format", fields, "Created-By: Packages"],
                         env=ENV, stdout=subprocess.PIPE, text=True, check=False).stdout
    found = {"main": [], "security": []}
    for line in out.splitlines():
        uri, release, component, origin = line.split("|")
        if component != "main" or uri.startswith("cdrom:"):
            continue
        if release.endswith(("-security", "/updates")):
            kind = "security"
        elif re.fullmatch(r"[a-z]+", release):
            kind = "main"
        else:
            continue
        # Another vendor's repository may use Debian's suite names; prefer what says it is Debian.
        rank = 0 if origin == "Debian" else 1 if "debian" in uri else 2
        found[kind].append((rank, uri))
    if not found["main"]:
        raise FetchError("no Debian mirror in this machine's apt sources (see 'apt-get indextargets')")
    return [min(found[kind])[1] if found[kind] else None for kind in ("main", "security")]


class Apt:
    """A private apt for one suite and architecture ("source" for source packages)."""

    def __init__(self, suite, arch):
        self.suite, self.arch = suite, arch
        self.dir = os.path.join(DOWNLOADS, "apt", f"{suite}-{arch}")
        self.conf = os.path.join(self.dir, "apt.conf")
        self.archives = os.path.join(self.dir, "cache", "archives")
        self.ready = os.path.join(self.dir, "ready")

    def run(self, command, args, **options):
        return subprocess.run([command, "-c", self.conf, *args], env=ENV, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **options)

    def write_conf(self):
        for sub in ("state/lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.dir, sub), exist_ok=True)
        lines = [f'Dir::State "{self.dir}/state";', f'Dir::State::lists "{self.dir}/state/lists";',
                 'Dir::State::status "/dev/null";', f'Dir::Cache "{self.dir}/cache";',
                 f'Dir::Cache::archives "{self.archives}";',
                 f'Dir::Etc::sourcelist "{self.dir}/sources.list";', 'Dir::Etc::sourceparts "/dev/null";',
                 'Dir::Etc::preferences "/dev/null";', 'Dir::Etc::preferencesparts "/dev/null";',
                 'Acquire::Languages "none";', 'Acquire::PDiffs "false";', 'Acquire::Retries "3";',
                 'APT::Sandbox::User "root";',  # the files are ours, not _apt's
                 '#clear APT::Update::Post-Invoke;', '#clear APT::Update::Post-Invoke-Success;']
        if self.arch != "source":
            lines += [f'APT::Architecture "{self.arch}";', '#clear APT::Architectures;',
                      f'APT::Architectures {{ "{self.arch}"; }};']
        with open(self.conf, "w") as file:
            file.write("\n".join(lines) + "\n")

    def update(self):
        """Read the suite's package index; with its security suite when the mirror has one."""
        say(f"reading the package index of {self.suite} ({self.arch})")
        self.write_conf()
        main, security = machine_mirrors()
        kind = "deb-src" if self.arch == "source" else "deb"
        signed = f" [signed-by={KEYRING}]" if os.path.exists(KEYRING) else ""
        lines = [f"{kind}{signed} {main} {self.suite} main\n"]
        if security:
            lines.append(f"{kind}{signed} {security} {self.suite}-security main\n")
        for count in range(len(lines), 0, -1):
            with open(os.path.join(self.dir, "sources.list"), "w") as file:
                file.writelines(lines[:count])
            result = self.run("apt-get", ["update", "-q", "--error-on=any"])
            if result.returncode == 0:
                open(self.ready, "w").close()
                return
            if count > 1:
                say(f"{self.suite}-security cannot be used for {self.arch}, going on without")
        errors = [l for l in result.stderr.splitlines() if l.startswith(("E:", "Err:"))]
        raise FetchError(f"this machine's mirror does not offer {self.suite} for {self.arch} (no "
                         "network, or moved to an archive):\n  " + "\n  ".join(errors[:4]))

    def with_index(self, work):
        """Do `work`; if the index turns out to be old, read it anew and do it once more."""
        fresh = not os.path.exists(self.ready)
        if fresh:
            self.update()
        try:
            return work()
        except Gone:
            if fresh:
                raise
            self.update()
            return work()

    def show(self, names):
        """{name: fields} of the newest version of each package; unknown names are left out."""
        if not names:
            return {}
        out = self.run("apt-cache", ["show", "--no-all-versions", *names]).stdout
        found = {}
        for stanza in out.strip().split("\n\n"):
            fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", stanza, re.M))
            if "Package" in fields and "Filename" in fields:
                found.setdefault(fields["Package"], fields)
        return found

    def resolve(self, pattern):
        """The package a name, glob or ^regex stands for."""
        if re.search(r"[*?\[]|^\^", pattern):
            match = re.compile(pattern if pattern[0] == "^" else fnmatch.translate(pattern)).match
            names = [n for n in self.run("apt-cache", ["pkgnames"]).stdout.split() if match(n)
                     and not n.endswith(("-dbg", "-dbgsym", "-unsigned"))]
            names.sort(key=lambda n: [(0, int(p), "") if p.isdigit() else (1, 0, p)
                                      for p in re.findall(r"\d+|\D+", n)])
            if not names:
                raise Gone(f"nothing in {self.suite} ({self.arch}) matches {pattern}")
            pattern = names[-1]
        fields = self.show([pattern]).get(pattern)
        if not fields:
            raise Gone(f"{self.suite} ({self.arch}) has no package {pattern}")
        kernel = re.search(r"\b(linux-image-\d\S*)", fields.get("Depends", ""))
        if pattern.startswith("linux-image-") and kernel:
            return self.resolve(kernel.group(1))
        return fields

    def closure(self, roots):
        """`roots` and the lib* packages they depend on, directly or not. {name: fields}"""
        known, todo = {}, dict(roots)
        while todo:
            known.update(todo)
            groups = []
            for fields in todo.values():
                text = fields.get("Pre-Depends", "") + "," + fields.get("Depends", "")
                for group in filter(str.strip, text.split(",")):
                    names = [re.split(r"[\s:(\[]", n.strip())[0] for n in group.split("|")]
                    if any(n in known for n in names):
                        continue
                    groups.append([n for n in names if n.startswith("lib")])
            shown = self.show(sorted({n for g in groups for n in g}))
            todo = {}
            for group in groups:
                name = next((n for n in group if n in shown), None)  # the first that exists
                if name and name not in known:
                    todo[name] = shown[name]
        return known

    def download(self, packages):
        """Put each package's .deb into DEBS. List of paths, in the order given."""
        os.makedirs(DEBS, exist_ok=True)
        paths, missing = [], []
        for fields in packages:
            path = os.path.join(DEBS, deb_name(fields))
            paths.append(path)
            if os.path.exists(path) and sha256_of(path) == fields["SHA256"]:
                say(f"{fields['Package']} {fields['Version']} (cached)")
            else:
                missing.append(fields)
        if missing:
            self.download_missing(missing)
        return paths

    def download_missing(self, missing):
        wanted = {f["Package"]: f for f in missing}
        command = ["apt-get", "-c", self.conf, "-q", "download",
                   *(f"{f['Package']}={f['Version']}" for f in missing)]
        with subprocess.Popen(command, cwd=self.archives, env=ENV, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            log = []
            for line in process.stdout:
                log.append(line.rstrip())
                # Get:1 http://... trixie/main amd64 NAME ARCH VERSION [SIZE]
                words = line.split()
                name = words[4] if line.startswith("Get:") and len(words) > 6 else None
                if name in wanted:
                    fields = wanted[name]
                    say(f"{name} {fields['Version']} ({size_text(int(fields['Size']))})")
        for fields in missing:
            file = os.path.join(self.archives, deb_name(fields))
            if not os.path.exists(file):
                raise Gone("could not download " + fields["Package"] + ":\n  "
                           + "\n  ".join(l for l in log[-6:] if not l.startswith("Get:")))
            if sha256_of(file) != fields["SHA256"]:
                os.unlink(file)
                raise FetchError(f"{deb_name(fields)}: checksum differs from the index's")
            os.replace(file, os.path.join(DEBS, deb_name(fields)))


def deb_name(fields):
    return f"{fields['Package']}_{fields['Version'].replace(':', '%3a')}_{fields['Architecture']}.deb"


def read_seen():
    """{(package, arch): {version: sha256}} from tools/packages.txt"""
    seen = {}
    if os.path.exists(PACKAGES_TXT):
        with open(PACKAGES_TXT) as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    name, arch, version, digest = line.split()
                    seen.setdefault((name, arch), {})[version] = digest
    return seen


def check_seen(name, arch, version, digest):
    """Compare with what Xenolith was built and tested with."""
    versions = read_seen().get((name, arch), {})
    if versions.get(version, digest) != digest:
        raise FetchError(f"{name} {version} ({arch}) has checksum {digest},\n  but tools/packages.txt "
                         f"has {versions[version]} for the same version: not using it")
    if versions and version not in versions:
        say(f"note: {name} {version} is not the version seen before ({', '.join(versions)})")


def already(into, keys):
    """The keys that DIR's stamp file doesn't list yet."""
    try:
        with open(os.path.join(into, ".fetched")) as file:
            done = {line.split(" -> ")[0].strip() for line in file}
    except FileNotFoundError:
        done = set()
    return [key for key in keys if key not in done]


def stamp(into, key, result):
    with open(os.path.join(into, ".fetched"), "a") as file:
        file.write(f"{key} -> {result}\n")


def fetch_debs(options):
    prefix = f"deb {options.suite} {options.arch} {'deps ' if options.with_deps else ''}"
    keys = already(options.into, [prefix + name for name in options.packages])
    if not keys:
        return
    names = [key[len(prefix):] for key in keys]
    apt = Apt(options.suite, options.arch)
    with Lock(os.path.join(apt.dir, "lock")):
        chosen, paths, total = apt.with_index(lambda: get_debs(apt, names, options.with_deps))
    os.makedirs(options.into, exist_ok=True)
    for path in paths:
        subprocess.run(["dpkg", "-x", path, options.into], check=True)
    for key, fields in zip(keys, chosen):
        stamp(options.into, key, f"{fields['Package']} {fields['Version']}")
    say(f"{len(paths)} packages ({size_text(total)}) unpacked in {os.path.relpath(options.into)}")


def get_debs(apt, names, with_deps):
    """Resolve, download and check. (fields of each name, paths of all .debs, bytes)"""
    chosen = [apt.resolve(name) for name in names]
    packages = {fields["Package"]: fields for fields in chosen}
    if with_deps:
        packages = apt.closure(packages)
    for f in packages.values():
        check_seen(f["Package"], f["Architecture"], f["Version"], f["SHA256"])
    paths = apt.download(list(packages.values()))
    return chosen, paths, sum(int(f["Size"]) for f in packages.values())


def fetch_sources(options):
    import shutil
    prefix = f"source {options.suite} "
    keys = already(options.into, [prefix + name for name in options.packages])
    if not keys:
        return
    if not shutil.which("dpkg-source"):
        raise FetchError("dpkg-source is missing: install dpkg-dev (tools/host-packages.sh build)")
    apt = Apt(options.suite, "source")
    with Lock(os.path.join(apt.dir, "lock")):
        os.makedirs(SOURCES, exist_ok=True)
        for key in keys:
            name = key[len(prefix):]
            dsc, version = apt.with_index(lambda: get_source(apt, name))
            target = os.path.join(options.into, name)
            shutil.rmtree(target, ignore_errors=True)
            os.makedirs(options.into, exist_ok=True)
            # apt has checked the .dsc against the signed index; dpkg-source checks the rest by it.
            subprocess.run(["dpkg-source", "--no-copy", "-x", dsc, target], check=True, env=ENV,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stamp(options.into, key, f"{name} {version}")
            say(f"{name} {version} unpacked in {os.path.relpath(target)}")


def newest_source(apt, name):
    """(version, .dsc name, its sha256, bytes of all files) of the newest source package."""
    best = ()
    for stanza in apt.run("apt-cache", ["showsrc", "--only-source", name]).stdout.split("\n\n"):
        version = re.search(r"^Version: (\S+)$", stanza, re.M)
        sums = re.search(r"^Checksums-Sha256:\n((?: .*\n?)+)", stanza, re.M)
        if not version or not sums:
            continue
        files = [line.split() for line in sums.group(1).splitlines()]
        dsc = next(f for f in files if f[2].endswith(".dsc"))
        entry = (version.group(1), dsc[2], dsc[0], sum(int(f[1]) for f in files))
        if not best or subprocess.run(["dpkg", "--compare-versions", entry[0], "gt", best[0]],
                                      check=False).returncode == 0:
            best = entry
    if not best:
        raise Gone(f"{apt.suite} has no source package {name}")
    return best


def get_source(apt, name):
    """Download the newest source package. (path of its .dsc, version)"""
    version, dsc, digest, total = newest_source(apt, name)
    path = os.path.join(SOURCES, dsc)
    check_seen(name, "source", version, digest)
    cached = os.path.exists(path)
    say(f"{name} {version} source ({'cached' if cached else size_text(total)})")
    result = subprocess.run(["apt-get", "-c", apt.conf, "-q", "source", "--download-only",
                             "--only-source", f"{name}={version}"], cwd=SOURCES, env=ENV, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode != 0 or not os.path.exists(path):
        raise Gone(f"could not download {name}:\n" + "\n".join(result.stdout.splitlines()[-6:]))
    if sha256_of(path) != digest:
        raise FetchError(f"{dsc}: checksum differs from the index's")
    return path, version


def cached_files():
    """(package, arch, version, path) of everything in the cache."""
    for folder, ending in ((DEBS, ".deb"), (SOURCES, ".dsc")):
        for file in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if not file.endswith(ending):
                continue
            parts = file[:-4].replace("%3a", ":").split("_")
            arch = parts[2] if ending == ".deb" else "source"
            yield parts[0], arch, parts[1], os.path.join(folder, file)


def list_cached():
    for name, arch, version, path in cached_files():
        print(f"{name} {version} {arch} {size_text(os.path.getsize(path))}")


def record():
    """Add what is cached to tools/packages.txt."""
    with Lock(os.path.join(DOWNLOADS, "record.lock")):
        seen = read_seen()
        for name, arch, version, path in cached_files():
            digest = sha256_of(path)
            check_seen(name, arch, version, digest)
            seen.setdefault((name, arch), {})[version] = digest
        lines = [f"{name} {arch} {version} {digest}\n" for (name, arch), versions in sorted(seen.items())
                 for version, digest in sorted(versions.items())]
        with open(PACKAGES_TXT + ".new", "w") as file:
            file.write("# Debian packages Xenolith was built and tested with; written by 'fetch.py --record'.\n"
                       "# package architecture version sha256 (of the .deb, or of a source package's .dsc)\n")
            file.writelines(lines)
        os.replace(PACKAGES_TXT + ".new", PACKAGES_TXT)
    say(f"{len(lines)} packages in tools/packages.txt")


def main():
    parser = argparse.ArgumentParser(prog="fetch.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="show what is cached")
    parser.add_argument("--record", action="store_true", help="write tools/packages.txt from the cache")
    commands = parser.add_subparsers(dest="command", metavar="deb|source")
    suites = ("bookworm", "trixie", "bullseye")
    deb = commands.add_parser("deb", help="binary packages")
    deb.add_argument("--suite", required=True, choices=suites)
    deb.add_argument("--arch", default="amd64", choices=("amd64", "arm64", "armhf"))
    deb.add_argument("--with-deps", action="store_true", help="also the lib* packages they depend on")
    source = commands.add_parser("source", help="source packages")
    source.add_argument("--suite", required=True, choices=suites)
    for sub in (deb, source):
        sub.add_argument("--into", required=True, metavar="DIR", help="where to unpack")
        sub.add_argument("packages", nargs="+", metavar="PKG")
    options = parser.parse_args()
    try:
        if options.command == "deb":
            fetch_debs(options)
        elif options.command == "source":
            fetch_sources(options)
        elif options.record:
            record()
        elif options.list:
            list_cached()
        else:
            parser.print_help()
    except FetchError as error:
        print(f"fetch: error: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"fetch: error: {' '.join(error.cmd[:2])} failed ({error.returncode})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
