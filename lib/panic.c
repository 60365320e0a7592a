/* SPDX-License-Identifier: MIT
 *
 * Panic, in an order that gets the most out of a broken system: the other vCPUs are stopped, then
 * the reason, registers, the calls, what the others were doing, the end.  Every step may itself
 * fault; the second panic of the same vCPU skips to its own reason, the third says nothing and ends
 * the domain.
 */
#include "lib/panic.h"
#include "arch/cpu.h"
#include "lib/irq.h"
#include "hypercall/sched.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/percpu.h"

#define BACKTRACE_CALLS 24

static unsigned int panicking; /* 1 + the vCPU; 0: none */
static unsigned int panics;    /* of that vCPU */
static const struct panic_others *others;
static void (*stack_bounds)(unsigned long *bottom, unsigned long *top);

void panic_set_stack_bounds(void (*bounds)(unsigned long *bottom, unsigned long *top))
{
    stack_bounds = bounds;
}

void panic_set_others(const struct panic_others *hooks)
{
    others = hooks;
}

static _Noreturn void end_domain(void)
{
    for (;;)
        hypercall_sched_shutdown(SHUTDOWN_crash);
}

static void print_call(unsigned int depth, unsigned long address)
{
    char text[80];

    symbol_text(text, sizeof(text), address);
    log_error("  #%u %s", depth, text);
}

void backtrace_of(unsigned long pc, const unsigned long *frame, unsigned long bottom,
                  unsigned long top)
{
    unsigned int depth = 0;

    if (pc)
        print_call(depth++, pc);
    while (depth < BACKTRACE_CALLS) {
        unsigned long at = (unsigned long)frame;

        if (at < bottom || at + 2 * sizeof(*frame) > top || at % sizeof(*frame) || !frame[1])
            break;
        /* Inside the call: one that never returns may be the last instruction of its function. */
        if (cpu_frame_returns(frame))
            print_call(depth++, frame[1] - 1);
        frame = cpu_frame_above(frame);
        if ((unsigned long)frame <= at)
            break; /* callers lie above; anything else is the end or garbage */
    }
}

void backtrace(unsigned long pc, const unsigned long *frame)
{
    unsigned long bottom = 0, top = 0;

    if (stack_bounds)
        stack_bounds(&bottom, &top);
    backtrace_of(pc, frame, bottom, top);
}

/* Is it this vCPU that panics, or did another one before? */
static bool panic_is_ours(void)
{
    unsigned int nobody = 0, self = this_percpu()->vcpu + 1;

    return atomic_compare_exchange(&panicking, &nobody, self) || nobody == self;
}

static _Noreturn void panic_v(unsigned long pc, const unsigned long *frame,
                              void (*details)(const struct trap_frame *),
                              const struct trap_frame *trap, const char *format, va_list args)
{
    char reason[160];
    unsigned int before;

    upcalls_disable();
    if (!panic_is_ours()) {
        format_text_v(reason, sizeof(reason), format, args);
        others->join(pc, frame, reason);
    }
    before = panics++;
    if (before > 1)
        end_domain();
    if (before == 0 && others)
        others->stop();
    log_emergency();
    format_text_v(reason, sizeof(reason), format, args);
    if (before == 1) {
        log_error("panic during the panic: %s", reason);
        end_domain();
    }
    log_error("panic: %s", reason);
    if (details)
        details(trap);
    if (others)
        others->show_self();
    backtrace(pc, frame);
    if (others)
        others->show();
    log_error("panic: %s", reason); /* again: the last line is what the toolstack's user sees */
    end_domain();
}

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    panic_v(0, cpu_frame(), NULL, NULL, format, args);
    va_end(args);
}

void panic_at(unsigned long pc, const unsigned long *frame,
              void (*details)(const struct trap_frame *), const struct trap_frame *trap,
              const char *format, ...)
{
    va_list args;

    va_start(args, format);
    panic_v(pc, frame, details, trap, format, args);
    va_end(args);
}

/* gcc's -fstack-protector calls it when a function finds its canary overwritten. */
_Noreturn void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
    panic("stack smashed: a function wrote past an array of its own");
}
