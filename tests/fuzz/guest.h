/* SPDX-License-Identifier: MIT
 *
 * What the fuzzed parts stand on: one thread, a clock that moves only when told, memory that is
 * counted, and a hypercall that hands control to the fuzzer, which plays whoever is at the other
 * end.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fuzzer's input, read from the front. */
struct input {
    const uint8_t *at, *end;
};
extern struct input input;

bool input_left(void);
uint8_t input_byte(void); /* 0 when there is no more */
uint32_t input_u32(void);
/* At most `len` bytes, where they lie. */
const uint8_t *input_bytes(size_t *len);

/* The fuzzer's: an event was sent on the port; the guest would sleep. False: nobody will ever wake
 * it. */
void other_end_notified(void);
bool other_end_turn(void);

extern uint64_t guest_now_ns;
extern unsigned long guest_blocks; /* kmem blocks not freed */

/* End with a message that the fuzzer reports as a crash. */
#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            guest_broken(__FILE__, __LINE__, #cond);                                               \
    } while (0)
_Noreturn void guest_broken(const char *file, int line, const char *text);
