/* SPDX-License-Identifier: MIT
 *
 * The end of the road: say what broke, show how we got there, end the domain with SHUTDOWN_crash so
 * that the toolstack's on_crash= decides what happens next.  A panic inside a panic still ends it.
 */
#pragma once
#include "lib/types.h"

struct trap_frame;

/* Any context. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for an exception: the way there begins at `pc` with the frame pointer `frame`, and
 * `details(trap)`, if not NULL, prints the registers. */
_Noreturn void panic_at(unsigned long pc, const unsigned long *frame,
                        void (*details)(const struct trap_frame *), const struct trap_frame *trap,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Print the calls that lead to the frame pointer `frame` (see cpu_frame()), with names; `pc`, if
 * not 0, is printed as the innermost. Any context. */
void backtrace(unsigned long pc, const unsigned long *frame);

/* The same for somebody else's frames on the stack [bottom, top). */
void backtrace_of(unsigned long pc, const unsigned long *frame, unsigned long bottom,
                  unsigned long top);

/* Who can stop the other vCPUs. Set once at boot; until then there is one. */
struct panic_others {
    void (*stop)(void);      /* all of them, within a bounded time */
    void (*show_self)(void); /* a line that names the running vCPU and thread */
    void (*show)(void);      /* a backtrace of each other */
    /* This vCPU panics for `reason`, but another one did before and will show us: stop. Does not
     * return. */
    void (*join)(unsigned long pc, const unsigned long *frame, const char *reason);
};
void panic_set_others(const struct panic_others *others);

/* Who knows the running stack: [*bottom, *top). Backtraces read nowhere else. Set once by the
 * scheduler; until then they show only the innermost call. */
void panic_set_stack_bounds(void (*bounds)(unsigned long *bottom, unsigned long *top));

/* "name+0x12" of an address in the image, from the symbol table linked into it; a number when there
 * is none. Returns what format_text() does. */
int symbol_text(char *out, size_t size, unsigned long address);

/* assert is for our own promises, never for what comes from outside the domain. */
#define kassert(cond)                                                                              \
    do {                                                                                           \
        if (!(cond))                                                                               \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond);                       \
    } while (0)
