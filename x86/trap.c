/* SPDX-License-Identifier: MIT
 *
 * Exceptions: none is expected, so each is reported in words, with registers and the way there, and
 * ends the domain.
 */
#include "arch/page.h"
#include "kernel/thread.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "x86/guest.h"
#include "x86/trap.h"

#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT   14
#define FAULT_PRESENT       (1 << 0)
#define FAULT_WRITE         (1 << 1)
#define FAULT_FETCH         (1 << 4)
#define NULL_REACH          0x10000 /* a member of a structure at NULL is still "null pointer" */

static const char *const names[TRAP_VECTORS] = {
    "divide error",
    "debug",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range",
    "invalid opcode",
    "no coprocessor",
    "double fault",
    "coprocessor overrun",
    "invalid TSS",
    "segment not present",
    "stack segment",
    "general protection",
    "page fault",
    NULL,
    "x87 floating point",
    "alignment check",
    "machine check",
    "SIMD floating point",
    "virtualization",
    "control protection",
};

extern char __text_start[], __rodata_start[], __rodata_end[];

static void describe_page_fault(char *out, size_t size, uint64_t error, uint64_t address)
{
    const char *access = error & FAULT_FETCH ? "execute" : error & FAULT_WRITE ? "write" : "read";
    const struct thread *guarded = thread_of_guard(address);

    if (guarded)
        format_text(out, size, "stack overflow in thread %s", thread_name(guarded));
    else if (address < NULL_REACH)
        format_text(out, size, "null pointer dereference (%s at 0x%lx)", access, address);
    else if (error & FAULT_FETCH)
        format_text(out, size, "page fault: execute of no-execute memory at 0x%lx", address);
    else if (error & FAULT_WRITE && address >= (unsigned long)__text_start &&
             address < (unsigned long)__rodata_end)
        format_text(out, size, "page fault: write to read-only %s at 0x%lx",
                    address < (unsigned long)__rodata_start ? "text" : "data", address);
    else
        format_text(out, size, "page fault: %s at 0x%lx (%s)", access, address,
                    error & FAULT_PRESENT ? "protected" : "not mapped");
}

static void print_registers(const struct trap_frame *f)
{
    log_error("rip %016lx rsp %016lx rflags %08lx error %lx", f->rip, f->rsp, f->rflags,
              f->error_code);
    log_error("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_error("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
    log_error("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
    log_error("r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
}

void trap_handle(struct trap_frame *frame)
{
    uint64_t fault_address = guest->fault_address();
    char what[80];

    /* With hardware assistance a stack that has run over shows itself as a double fault: the frame
     * of the page fault found no room. */
    if (frame->vector == VECTOR_PAGE_FAULT ||
        (frame->vector == VECTOR_DOUBLE_FAULT && thread_of_guard(fault_address)))
        describe_page_fault(what, sizeof(what), frame->error_code, fault_address);
    else
        format_text(what, sizeof(what), "%s (vector %lu, error %lx)",
                    names[frame->vector] ? names[frame->vector] : "exception", frame->vector,
                    frame->error_code);
    panic_at(frame->rip, (const unsigned long *)frame->rbp, print_registers, frame, "%s", what);
}
