/* SPDX-License-Identifier: MIT
 *
 * A request of the toolstack (xl shutdown, xl reboot) meets the program: a callback, a poll, or the
 * default, which is exit(0) in a thread of its own, because main may be anywhere.
 */
#include <stdlib.h>
#include "kernel/thread.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "libc/internal.h"
#include "libc/libc.h"
#include "xenolith.h"

static enum control_request requested; /* written by control's thread only */
static bool program_cares;
static xenolith_shutdown_fn *callback; /* release: callback_arg was written before */
static void *callback_arg;

enum control_request libc_requested(void)
{
    return load_once(&requested);
}

enum control_request xenolith_shutdown_requested(void)
{
    store_once(&program_cares, true);
    return libc_requested();
}

void xenolith_on_shutdown(xenolith_shutdown_fn *fn, void *arg)
{
    callback_arg = arg;
    store_release(&callback, fn); /* pairs with libc_control_request() */
    store_once(&program_cares, fn != NULL);
}

static void end_program(void *unused)
{
    (void)unused;
    exit(0);
}

void libc_control_request(enum control_request request)
{
    xenolith_shutdown_fn *fn = load_acquire(&callback);
    struct thread *thread;

    if (request == CONTROL_NONE)
        return;
    store_once(&requested, request);
    if (fn) {
        fn(request, callback_arg);
    } else if (!load_once(&program_cares)) {
        /* Not here: exit handlers may take their time and may want xenstore's watch thread. */
        if (thread_create(&thread, "exit", THREAD_STACK_ORDER, PRIORITY_NORMAL, end_program,
                          NULL)) {
            log_warn("exit: no memory for a thread, using control's");
            end_program(NULL);
        }
        thread_detach(thread);
    }
}
