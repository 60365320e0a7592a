/* SPDX-License-Identifier: MIT
 *
 * From the first constructor to the last word: main's thread runs libc_start(), and however the
 * program ends, it ends in _exit(), which tells the toolstack why the domain is gone.
 */
#include <assert.h>
#include <reent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/lock.h>
#include <unistd.h>
#include "console/console.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "libc/internal.h"
#include "libc/libc.h"
#include <xen/sched.h>

typedef void function(void);

/* Made by the linker script. */
extern function *__preinit_array_start[], *__preinit_array_end[];
extern function *__init_array_start[], *__init_array_end[];
extern function *__fini_array_start[], *__fini_array_end[];

int main(int argc, char **argv);

/* newlib has stand-ins for these, and a linker takes the first definition it comes across: ask for
 * ours before newlib's archive is searched. Nothing refers to the table; it is not in the image. */
void __retarget_lock_acquire(struct __lock *lock);
__attribute__((used)) static const void *const ours[] = { __retarget_lock_acquire, __assert_func,
                                                          __register_exitproc, malloc, raise };

static const char *program = "main";
static struct thread *exiting; /* set once */
static struct thread *main_thread;

void libc_start(int argc, char **argv)
{
    if (argc > 0)
        program = argv[0];
    main_thread = current_thread();
    for (function **f = __preinit_array_start; f < __preinit_array_end; f++)
        (*f)();
    for (function **f = __init_array_start; f < __init_array_end; f++)
        (*f)();
    exit(main(argc, argv));
}

struct thread *libc_main_thread(void)
{
    return main_thread;
}

struct thread *libc_exiting_thread(void)
{
    return load_once(&exiting);
}

void exit(int code)
{
    struct thread *nobody = NULL;

    /* Only one thread ends the program; a handler that calls exit() itself goes on with the rest.
     */
    if (!atomic_compare_exchange(&exiting, &nobody, current_thread()) &&
        nobody != current_thread()) {
        for (;;)
            thread_sleep_until(TIME_NEVER);
    }
    __call_exitprocs(code, NULL);
    for (function **f = __fini_array_end; f > __fini_array_start;)
        (*--f)();
    if (__stdio_exit_handler)
        __stdio_exit_handler();
    _exit(code);
}

void _exit(int code)
{
    enum control_request asked = libc_requested();
    unsigned int reason = code                      ? SHUTDOWN_crash
                          : asked == CONTROL_REBOOT ? SHUTDOWN_reboot
                                                    : SHUTDOWN_poweroff;
    static const char *const names[] = {
        [SHUTDOWN_poweroff] = "poweroff", [SHUTDOWN_reboot] = "reboot", [SHUTDOWN_crash] = "crash"
    };
    char line[80];
    int len =
        format_text(line, sizeof(line), "%.40s: exit(%d): %s\n", program, code, names[reason]);

    console_write(line, MIN((size_t)len, sizeof(line) - 1));
    control_shutdown(reason);
}
