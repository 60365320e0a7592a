/* SPDX-License-Identifier: MIT
 *
 * Exceptions: none is expected, so each is reported in words, with registers and the way there, and
 * ends the domain.  Follows the Arm Architecture Reference Manual (DDI 0487), ESR_EL1.
 */
#include "arch/trap.h"
#include "arm/fault.h"
#include "lib/log.h"
#include "lib/panic.h"

#define CLASS(esr)  ((esr) >> 26 & 0x3f)
#define CLASS_FETCH 0x21
#define CLASS_DATA  0x25
#define DATA_WRITE  (1 << 6)

static enum fault_access access_of(uint64_t syndrome)
{
    if (CLASS(syndrome) == CLASS_FETCH)
        return FAULT_EXECUTE;
    return syndrome & DATA_WRITE ? FAULT_WRITE : FAULT_READ;
}

static void print_registers(const struct trap_frame *f)
{
    log_error("pc  %016lx sp  %016lx lr  %016lx pstate %08lx esr %lx", f->pc, f->sp, f->lr,
              f->pstate, f->syndrome);
    for (unsigned int n = 0; n + 3 < ARRAY_SIZE(f->x); n += 4)
        log_error("x%-2u %016lx x%-2u %016lx x%-2u %016lx x%-2u %016lx", n, f->x[n], n + 1,
                  f->x[n + 1], n + 2, f->x[n + 2], n + 3, f->x[n + 3]);
    log_error("x28 %016lx x29 %016lx", f->x[28], f->x[29]);
}

static const char *name_of(unsigned int class)
{
    switch (class) {
    case 0x00:
        return "invalid opcode";
    case 0x22:
        return "pc not aligned";
    case 0x26:
        return "stack pointer not aligned";
    case 0x2c:
        return "floating point";
    case 0x2f:
        return "SError";
    case 0x3c:
        return "breakpoint";
    default:
        return "exception";
    }
}

void trap_handle(struct trap_frame *frame)
{
    unsigned int class = CLASS(frame->syndrome);
    char what[80];

    if (class == CLASS_DATA || class == CLASS_FETCH)
        fault_describe(what, sizeof(what), frame->far, access_of(frame->syndrome),
                       (unsigned int)frame->syndrome);
    else
        format_text(what, sizeof(what), "%s (class %x, syndrome %lx)", name_of(class), class,
                    frame->syndrome);
    panic_at(frame->pc, (const unsigned long *)frame->x[29], print_registers, frame, "%s", what);
}
