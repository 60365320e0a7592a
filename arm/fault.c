/* SPDX-License-Identifier: MIT
 *
 * Faults in words.  Follows the Arm Architecture Reference Manuals (DDI 0406, B3.13; DDI 0487,
 * ESR_EL1).
 */
#include "arm/fault.h"
#include "kernel/thread.h"
#include "lib/log.h"

#define STATUS_LEVELS(status) ((status)&0x3c) /* without the level */
#define STATUS_PERMISSION     0x0c
#define STATUS_ALIGNMENT      0x21
#define NULL_REACH            0x10000 /* a member of a structure at NULL is still "null pointer" */

extern char __text_start[], __rodata_start[], __rodata_end[];

void fault_describe(char *out, size_t size, unsigned long address, enum fault_access access,
                    unsigned int status)
{
    static const char *const names[] = { "read", "write", "execute" };
    bool protected = STATUS_LEVELS(status) == STATUS_PERMISSION;
    const struct thread *guarded = thread_of_guard(address);

    if ((status & 0x3f) == STATUS_ALIGNMENT)
        format_text(out, size, "address not aligned: %s at 0x%lx", names[access], address);
    else if (guarded)
        format_text(out, size, "stack overflow in thread %s", thread_name(guarded));
    else if (address < NULL_REACH)
        format_text(out, size, "null pointer dereference (%s at 0x%lx)", names[access], address);
    else if (access == FAULT_EXECUTE && protected)
        format_text(out, size, "page fault: execute of no-execute memory at 0x%lx", address);
    else if (access == FAULT_WRITE && protected && address >= (unsigned long)__text_start &&
             address < (unsigned long)__rodata_end)
        format_text(out, size, "page fault: write to read-only %s at 0x%lx",
                    address < (unsigned long)__rodata_start ? "text" : "data", address);
    else
        format_text(out, size, "page fault: %s at 0x%lx (%s)", names[access], address,
                    protected ? "protected" : "not mapped");
}
