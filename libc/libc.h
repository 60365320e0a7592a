/* SPDX-License-Identifier: MIT
 *
 * What boot/ asks of the C library: run the program, and tell it what the toolstack wants.
 */
#pragma once
#include "control/control.h"

struct thread;

/* The program: constructors, main(argc, argv), exit(). Call it in the thread that is to be the
 * program's main one, when everything else works. `argv` lives for ever and ends with NULL. */
_Noreturn void libc_start(int argc, char **argv);

/* For control_init(). The program hears of it if it asked to (xenolith.h); if not, it ends as
 * by exit(0). Thread context; returns soon. */
void libc_control_request(enum control_request request);

/* The thread that is in exit(), or NULL. Any context. */
struct thread *libc_exiting_thread(void);
