/* SPDX-License-Identifier: MIT
 *
 * The domain's command line (`extra=`/`cmdline=` of xl): kernel options begin with '-' and come
 * first or anywhere before "--"; the rest is argv of main, with '...' "..." and \ quoting as in a
 * shell.
 */
#pragma once
#include "lib/types.h"

#define CMDLINE_MAX  1024 /* Xen's limit for PV, terminator included */
#define CMDLINE_ARGS 64

struct cmdline_option {
    const char *name; /* "loglevel": written -loglevel=VALUE, or just -name when `set` takes NULL */
    const char *help; /* "error|warn|info|debug: what is printed" */
    /* `value` is NULL when there is no '='. 0, or -XEN_EINVAL when the value is not one it knows.
     */
    int (*set)(const char *value);
    const struct cmdline_option
        *more; /* of the entry that ends a list: where it goes on; or NULL */
};

struct cmdline {
    int argc;
    char *argv[CMDLINE_ARGS + 1]; /* argv[0] is the program; ends with NULL */
    char text[2 * CMDLINE_MAX];   /* where argv points */
};

/* Split `text` (not trusted to be terminated within CMDLINE_MAX) for `program`. Options found in
 * `options` (ends with a NULL name) are set and taken out. An unknown option, a bad value or an
 * over-long text logs one error that lists what is known; the rest is still used.
 * Returns 0, or -XEN_EINVAL when anything was wrong. Once at boot. */
int cmdline_parse(struct cmdline *cmdline, const char *program, const char *text,
                  const struct cmdline_option *options);
