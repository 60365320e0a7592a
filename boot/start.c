/* SPDX-License-Identifier: MIT
 *
 * The table of contents of the system: every part, in the order it starts.
 */
#include "arch/mmu.h"
#include "boot/boot_info.h"
#include "boot/options.h"
#include "console/console.h"
#include "control/control.h"
#include "events/events.h"
#include "kernel/sched.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/cmdline.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "libc/libc.h"
#include "mm/page.h"
#include "xenbus/xenstore.h"

extern const char app_name[]; /* tools/link.sh */

void network_start(void) __attribute__((weak)); /* boot/network.c: NULL without the network */

char shared_info_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct cmdline cmdline;

static void running_stack(unsigned long *bottom, unsigned long *top)
{
    thread_stack_bounds(current_thread(), bottom, top);
}

static void run_program(void *unused)
{
    (void)unused;
    libc_start(cmdline.argc, cmdline.argv);
}

/* The first thread: parts that wait for somebody outside, then the program. */
static void start_services(void *arg)
{
    const struct boot_info *info = arg;
    struct thread *program;
    int store_rc, rc = console_init(); /* input, and output that can wait */

    if (rc)
        log_warn("console: %s; output only, by polling", error_name(rc));
    store_rc = xenstore_init(info->xenstore, info->xenstore_port);
    control_start_vcpus(); /* those xenstore does not list as offline */
    rc = thread_create(&program, "main", options_main_stack_order(), PRIORITY_NORMAL, run_program,
                       NULL);
    if (rc)
        panic("no memory for main's stack of %lu KiB: give the domain more memory=, or -stack=KIB",
              (PAGE_SIZE << options_main_stack_order()) / 1024);
    thread_detach(program);
    /* Behind the program, which need not wait for dom0 to answer this. */
    if (network_start)
        network_start();
    if (store_rc == 0)
        store_rc = control_init(libc_control_request);
    if (store_rc)
        log_warn("xenstore: %s; going on without it", error_name(store_rc));
}

void start(const struct boot_info *info)
{
    static struct boot_info kept;
    int rc;

    percpus[0] = this_percpu();
    kept = *info; /* the decoder's copy lies on a stack that becomes the idle thread's */

    console_early_init(info->console, info->console_port); /* from here on errors can be read */
    for (unsigned int i = 0; i < ARRAY_SIZE(info->mapped); i++)
        page_add_mapped(info->mapped[i].start, info->mapped[i].end);
    for (unsigned int i = ARRAY_SIZE(info->unmapped); i-- > 0;)
        page_add_unmapped(info->unmapped[i].start, info->unmapped[i].end);
    cmdline_parse(&cmdline, app_name, info->cmdline, boot_options);

    rc = events_init(info->shared, options_events_abi());
    if (rc == 0)
        rc = sched_init(info->stack_bottom, info->stack_top); /* threads exist */
    if (rc == 0)
        rc = time_init(info->shared); /* clocks, timers, preemption */
    if (rc)
        panic("cannot start: %s", error_name(rc));
    log_set_clock(time_now_ns);
    panic_set_stack_bounds(running_stack);
    smp_init();

    thread_start_service("start", start_services, &kept);
    sched_idle();
}
