/* SPDX-License-Identifier: MIT
 *
 * The end of the road: say what broke, show how we got there, end the domain with SHUTDOWN_crash so
 * that the toolstack's on_crash= decides what happens next.  A panic inside a panic still ends it.
 */
#pragma once
#include "lib/types.h"

/* Any context. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print the calls that lead to the frame pointer `frame` (see cpu_frame()), with names; `pc`, if not 0,
 * is printed as the innermost. Reads only inside the current stack. */
void backtrace(unsigned long pc, const unsigned long *frame);

/* "name+0x12" of an address in the image, from the symbol table linked into it; a number when there
 * is none. */
int symbol_text(char *out, size_t size, unsigned long address);

/* assert is for our own promises, never for what comes from outside the domain. */
#define kassert(cond)                                                                              \
    do {                                                                                           \
        if (!(cond))                                                                               \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond);                       \
    } while (0)
