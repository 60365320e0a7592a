# SPDX-License-Identifier: MIT
"""The rows of the benchmark table that are about several vCPUs: threads.c on both sides.

Single operations are counted in instructions, on one physical CPU that the domain's vCPUs share.
How much more two vCPUs do than one is seen on the bed with two CPUs that run at the same time: its
times are noise, so the program does what it compares by turns, many times, in several domains; see
ratios_of().
"""
import re

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
# Key, name, least that must be reached: more is better.  The control says what the machine made of it.
SCALE_CONTROL = "scale_memory"
SCALE_ROWS = [
    ("scale_compute", "two vCPUs, computing", 1.9),
    (SCALE_CONTROL, "two vCPUs, writing to memory of their own", None),
    ("scale_malloc", "two vCPUs, malloc and free at random", 1.7),
    ("scale_malloc_passed", "two vCPUs, malloc here and free there", None),
]
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
COUNTED = WAIT_DONE + "create threads %s vcpus=%d %s && quiet_done threads 200\n"
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


def quickest(console):
    """{what: [quickest tenth of the first times, of the second]}: a busy host only makes rounds longer."""
    rounds = {}
    for key, *times in re.findall(r"^((?:scale|crowd) \w+) (\d+) (\d+)$", console.replace("\r", ""), re.M):
        rounds.setdefault(key.replace(" ", "_"), []).append([int(time) for time in times])
    return {key: [sorted(times)[len(times) // 10] for times in zip(*pairs)] for key, pairs in rounds.items()}


def ratios_of(consoles):
    """{"scale_NAME": how much more two do than one, "crowd_NAME": how much longer eight take than two}.

    On a machine that is shared, two CPUs are not always worth two: of the domains that measured the
    same, the one that could write to memory of its own at twice the speed, or nearest to that, counts.
    """
    domains = []
    for number in range(1, SCALES + 1):
        times = quickest(consoles.get(f"scale{number}", ""))
        domains.append({key: 2 * one / two for key, (one, two) in times.items()})
    found = min(domains, key=lambda domain: abs(2 - domain.get(SCALE_CONTROL, 0)))
    for key, (two, eight) in quickest(consoles.get("crowd", "")).items():
        found[key] = eight / two
    return found
