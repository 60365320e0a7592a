/* SPDX-License-Identifier: MIT
 *
 * Exceptions: none is expected, so each is reported in words, with registers and the way there, and
 * ends the domain.  Follows the Arm Architecture Reference Manual (DDI 0487), ESR_EL1.
 */
#include "arm/arm64/trap.h"
#include "kernel/thread.h"
#include "lib/log.h"
#include "lib/panic.h"

#define CLASS(esr)        ((esr) >> 26 & 0x3f)
#define CLASS_FETCH       0x21
#define CLASS_DATA        0x25
#define DATA_WRITE        (1 << 6)
#define STATUS(esr)       ((esr)&0x3c) /* without the level */
#define STATUS_PERMISSION 0x0c
#define NULL_REACH        0x10000 /* a member of a structure at NULL is still "null pointer" */

extern char __text_start[], __rodata_start[], __rodata_end[];

static void describe_fault(char *out, size_t size, uint64_t esr, uint64_t address)
{
    bool fetch = CLASS(esr) == CLASS_FETCH, write = !fetch && esr & DATA_WRITE;
    bool protected = STATUS(esr) == STATUS_PERMISSION;
    const char *access = fetch ? "execute" : write ? "write" : "read";
    const struct thread *guarded = thread_of_guard(address);

    if (guarded)
        format_text(out, size, "stack overflow in thread %s", thread_name(guarded));
    else if (address < NULL_REACH)
        format_text(out, size, "null pointer dereference (%s at 0x%lx)", access, address);
    else if (fetch && protected)
        format_text(out, size, "page fault: execute of no-execute memory at 0x%lx", address);
    else if (write && protected && address >= (unsigned long)__text_start &&
             address < (unsigned long)__rodata_end)
        format_text(out, size, "page fault: write to read-only %s at 0x%lx",
                    address < (unsigned long)__rodata_start ? "text" : "data", address);
    else
        format_text(out, size, "page fault: %s at 0x%lx (%s)", access, address,
                    protected ? "protected" : "not mapped");
}

static void print_registers(const struct trap_frame *f)
{
    log_error("pc  %016lx sp  %016lx lr  %016lx pstate %08lx esr %lx", f->pc, f->sp, f->lr,
              f->pstate, f->esr);
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
    unsigned int class = CLASS(frame->esr);
    char what[80];

    if (class == CLASS_DATA || class == CLASS_FETCH)
        describe_fault(what, sizeof(what), frame->esr, frame->far);
    else
        format_text(what, sizeof(what), "%s (class %x, syndrome %lx)", name_of(class), class,
                    frame->esr);
    panic_at(frame->pc, (const unsigned long *)frame->x[29], print_registers, frame, "%s", what);
}
