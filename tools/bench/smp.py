# SPDX-License-Identifier: MIT
"""The rows of the benchmark table that are about several vCPUs: threads.c on both sides.

Single operations are counted in instructions, on one physical CPU that the domain's vCPUs share.
How much more two vCPUs do than one is seen on the bed with two CPUs that run at the same time: what
those are worth together changes from one moment to the next, so the program does what it compares by
turns, many times, in several domains, with a control between; see ratios_of().
"""
import re
import statistics

from image import BedError

VCPUS = 4           # of the domain whose operations are counted
CROWD_VCPUS = 8     # on the bed's two CPUs
SCALES = 5          # domains one after another that measure the same

# threads.c's names, what the table calls them, and how Linux does the same.
OPERATION_ROWS = [
    ("threads_yield", "pthreads: switch by yield, one vCPU", "sched_yield"),
    ("threads_wake", "pthreads: wake-up by semaphore, one vCPU", "sem_post, sem_wait"),
    ("vcpus_wake", "pthreads: wake-up by semaphore, of another vCPU", "the same"),
    ("vcpus_wake_elapsed", "the same, by the clock", "the same"),
    ("ipi", "IPI to a vCPU that waits, and back", "membarrier"),
    ("ipi_elapsed", "the same, by the clock", "the same"),
    ("threads_mutex_handoff", "pthread_mutex hand-off, one vCPU", "pthread_mutex"),
    ("vcpus_mutex_handoff", "pthread_mutex hand-off, to another vCPU", "pthread_mutex"),
    ("threads_cond_signal", "pthread_cond signal and wait, one vCPU", "pthread_cond"),
    ("vcpus_cond_signal", "pthread_cond signal and wait, two vCPUs", "pthread_cond"),
    ("barrier_2", "pthread_barrier, 2 threads on 2 vCPUs", "pthread_barrier"),
    ("barrier_4", "pthread_barrier, 4 threads on 4 vCPUs", "pthread_barrier"),
    ("pthread_create_join", "pthread_create and join", "the same"),
]
# Key, name, least that must be reached: more is better.
SCALE_ROWS = [
    ("scale_compute", "two vCPUs, computing", 1.9),
    ("scale_memory", "two vCPUs, writing to memory of their own", None),
    ("scale_malloc", "two vCPUs, malloc and free at random", 1.7),
    ("scale_malloc_passed", "two vCPUs, malloc here and free there", None),
]
CONTROL_LEAST = 1.9     # what the control must reach on both sides of a round that counts
ROUNDS_LEAST = 20       # fewer say nothing
# Less is better. The first says what the machine made of it.
CROWD_CONTROL = "crowd_compute"
CROWD_ROWS = [
    (CROWD_CONTROL, "a loop that shares nothing, by 8 vCPUs on 2 CPUs"),
    ("crowd_mutex", "a mutex wanted by 8 vCPUs on 2 CPUs"),
    ("crowd_spinlock", "a spinlock wanted by 8 vCPUs on 2 CPUs"),
    ("crowd_malloc", "malloc and free by 8 vCPUs on 2 CPUs"),
]

# dom0 looks seldom, and without xl: each look takes a CPU from the domain.
WAIT_DONE = """
quiet_done() {  # NAME SECONDS
    local i
    for i in $(seq $(($2 / 2))); do sleep 2; grep -qs '^threads: done' "$(console_log "$1")" && break; done
    wait_for 20 is_gone "$1" || { xl destroy "$1"; return 1; }
}
"""
# Without any limit credit2 on ARM may go back and forth between two vCPUs whose credits are nearly the same, for ten
# times as long as what they do takes (docs/BENCHMARKS.md); a Xen host has one of 1,000 us.
COUNTED = WAIT_DONE + """
case $(uname -m) in aarch64) xl sched-credit2 -s -r 100 ;; esac
create threads %s vcpus=%d %s && quiet_done threads 200
"""
# Each vCPU on a CPU of its own; what little dom0 does is done on the first.
PARALLEL = WAIT_DONE + """
xl vcpu-pin 0 all 0
create_paused=-p
for i in $(seq %(scales)d); do
    create scale$i %(kernel)s vcpus=2 %(scale)s && xl vcpu-pin scale$i 0 0 && xl vcpu-pin scale$i 1 1 &&
        xl unpause scale$i && quiet_done scale$i 200 || exit 1
done
create crowd %(kernel)s vcpus=%(crowd_vcpus)d %(crowd)s && xl unpause crowd && quiet_done crowd 200
"""


def counted_script(kernel, more):
    """more: further lines of the configuration, for the shell."""
    return COUNTED % (kernel, VCPUS, more)


def parallel_script(kernel, scale, crowd):
    return PARALLEL % {"kernel": kernel, "scale": scale, "crowd": crowd, "scales": SCALES,
                       "crowd_vcpus": CROWD_VCPUS}


def tenth(times):
    """The quickest tenth: a busy host only makes rounds longer."""
    return sorted(times)[len(times) // 10]


def rounds_that_count(console):
    """{what: [(thread 0 alone, thread 1 alone, 0 of both, 1 of both)]}: between two controls that reached
    CONTROL_LEAST."""
    found, was_two, waiting = {}, False, []
    for key, *times in re.findall(r"^(scale \w+|control) (\d+) (\d+) (\d+) (\d+)$", console.replace("\r", ""), re.M):
        times = [int(time) for time in times]
        if key != "control":
            waiting.append((key.replace(" ", "_"), times))
            continue
        is_two = gain(*times) >= CONTROL_LEAST
        for name, round_ in waiting if was_two and is_two else []:
            found.setdefault(name, []).append(round_)
        was_two, waiting = is_two, []
    return found


def gain(alone0, alone1, both0, both1):
    """How much more both do in the same time than one does, the mean of the two."""
    return (1 / both0 + 1 / both1) / ((1 / alone0 + 1 / alone1) / 2)


def ratios_of(consoles):
    """{"scale_NAME": how much more two do than one, "crowd_NAME": how much longer eight take than two}.

    Two CPUs of a shared machine are worth two at one moment and, as threads of one core, hardly more
    than one at the next. The controls, which share nothing, tell which it was: rounds between others
    say nothing of the guest. Of the domains that had enough rounds, the median.
    """
    found = {}
    for number in range(1, SCALES + 1):
        for key, rounds in rounds_that_count(consoles.get(f"scale{number}", "")).items():
            if len(rounds) >= ROUNDS_LEAST:
                found.setdefault(key, []).append(gain(*(tenth(times) for times in zip(*rounds))))
    figures = {key: statistics.median(gains) for key, gains in found.items()}
    crowds = {}
    for key, *times in re.findall(r"^crowd (\w+) (\d+) (\d+)$", consoles.get("crowd", "").replace("\r", ""), re.M):
        crowds.setdefault(f"crowd_{key}", []).append([int(time) for time in times])
    for key, rounds in crowds.items():
        two, eight = (tenth(times) for times in zip(*rounds))
        figures[key] = eight / two
    missing = [name for key, name, must in SCALE_ROWS if must and key not in figures]
    if missing:
        raise BedError(f"{', '.join(missing)}: this machine's two CPUs were never worth {CONTROL_LEAST} for "
                       f"{ROUNDS_LEAST} rounds; measure again when nothing else runs on it")
    return figures
