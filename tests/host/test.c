/* SPDX-License-Identifier: MIT
 *
 * main() of every host test program: runs each TEST in a child process and counts.  The only
 * argument is a pattern: tests whose "file/name" does not contain it are left out.
 */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/host/test.h"

static struct test *first_test, **last_link = &first_test;
static unsigned int failures; /* in the running test; any thread adds */

void test_register(struct test *test)
{
    *last_link = test;
    last_link = &test->next;
}

void test_fail(const char *file, int line, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    printf("  # %s:%d: %s\n", file, line, text);
    fflush(stdout);
    __atomic_fetch_add(&failures, 1, __ATOMIC_SEQ_CST);
}

static _Noreturn void run_here(const struct test *test)
{
    alarm(TEST_TIMEOUT_S);
    fake_xen_init();
    test->fn();
    exit(failures ? 1 : 0); /* exit, not _exit: the leak checker looks then */
}

/* True: passed. Says why not. */
static bool run_in_child(const struct test *test)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        run_here(test);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (child < 0 || !WIFEXITED(status))
        printf("  # ended by signal %d%s\n", child < 0 ? -1 : WTERMSIG(status),
               WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": took too long" : "");
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    unsigned int passed = 0, failed = 0;

    for (const struct test *test = first_test; test; test = test->next) {
        char path[256], name[512];

        snprintf(path, sizeof(path), "%s", test->file);
        snprintf(name, sizeof(name), "%s/%s", basename(path), test->name);
        if (argc > 1 && !strstr(name, argv[1]))
            continue;
        bool ok = run_in_child(test);

        passed += ok;
        failed += !ok;
        printf("%sok %u - %s\n", ok ? "" : "not ", passed + failed, name);
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
