/* SPDX-License-Identifier: MIT
 *
 * Exceptions: none is expected, so each is reported in words, with registers and the way there, and
 * ends the domain.  Follows the Arm Architecture Reference Manual (DDI 0406), B3.13, the long
 * format.
 */
#include "arch/trap.h"
#include "arch/cpu.h"
#include "arm/fault.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "lib/log.h"
#include "lib/panic.h"

#define STATUS(syndrome)   ((syndrome)&0x3f)
#define STATUS_ASYNC       0x11
#define STATUS_DEBUG       0x22
#define STATUS_TRANSLATION 0x04 /* to STATUS_PERMISSION's end: what tables have to do with */
#define STATUS_TABLES_END  0x10
#define STATUS_ALIGNMENT   0x21
#define DATA_WRITE         (1 << 11)
#define FP                 11

static void print_registers(const struct trap_frame *f)
{
    log_error("pc  %08x sp  %08x lr  %08x psr %08x fsr %x", f->pc, f->sp, f->lr, f->psr,
              f->syndrome);
    for (unsigned int n = 0; n < 12; n += 4)
        log_error("r%-2u %08x r%-2u %08x r%-2u %08x r%-2u %08x", n, f->r[n], n + 1, f->r[n + 1],
                  n + 2, f->r[n + 2], n + 3, f->r[n + 3]);
    log_error("r12 %08x", f->r[12]);
}

static bool is_fault(const struct trap_frame *f)
{
    unsigned int status = STATUS(f->syndrome);

    return (f->kind == TRAP_DATA || f->kind == TRAP_FETCH) &&
           ((status >= STATUS_TRANSLATION && status < STATUS_TABLES_END) ||
            status == STATUS_ALIGNMENT);
}

static const char *name_of(const struct trap_frame *f)
{
    static const char *const names[] = { "reset",          "invalid opcode", "svc",
                                         "prefetch abort", "data abort",     "hyp" };

    if (f->kind != TRAP_DATA && f->kind != TRAP_FETCH)
        return names[f->kind];
    if (STATUS(f->syndrome) == STATUS_ASYNC)
        return "asynchronous abort";
    return STATUS(f->syndrome) == STATUS_DEBUG ? "breakpoint" : names[f->kind];
}

/* The frame that the way there begins with.  A function that calls nobody keeps its caller's frame
 * pointer alone; where it returns to is still in lr, and is put where others have it, over
 * something of a thread that will not go on. */
static const unsigned long *frame_of(const struct trap_frame *f)
{
    unsigned long *fp = (unsigned long *)(unsigned long)f->r[FP], bottom, top;

    thread_stack_bounds(current_thread(), &bottom, &top);
    if ((unsigned long)fp < bottom + sizeof(*fp) || (unsigned long)fp > top - 2 * sizeof(*fp) ||
        (unsigned long)fp % sizeof(*fp) || cpu_frame_returns(fp - 1))
        return fp - 1;
    fp[1] = f->lr;
    return fp;
}

void trap_handle(struct trap_frame *frame)
{
    bool fetch = frame->kind == TRAP_FETCH;
    char what[80];

    if (is_fault(frame))
        fault_describe(what, sizeof(what), frame->far,
                       fetch                          ? FAULT_EXECUTE
                       : frame->syndrome & DATA_WRITE ? FAULT_WRITE
                                                      : FAULT_READ,
                       frame->syndrome);
    else
        format_text(what, sizeof(what), "%s (status %x)", name_of(frame), frame->syndrome);
    panic_at(frame->pc, frame_of(frame), print_registers, frame, "%s", what);
}
