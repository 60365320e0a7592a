/* SPDX-License-Identifier: MIT
 *
 * Fuzzes lib/cmdline.c: any bytes the toolstack may hand over, terminated or not.
 */
#include <stdlib.h>
#include <string.h>
#include "lib/cmdline.h"
#include "tests/fuzz/guest.h"

void other_end_notified(void)
{
}

bool other_end_turn(void)
{
    return false;
}

static int take_any(const char *value)
{
    return value && strlen(value) >= CMDLINE_MAX ? -XEN_EINVAL : 0;
}

static int take_none(const char *value)
{
    return value ? -XEN_EINVAL : 0;
}

static const struct cmdline_option options[] = {
    { "loglevel", "any", take_any, NULL },
    { "events", "any", take_any, NULL },
    { "quiet", "no value", take_none, NULL },
    { NULL, NULL, NULL, NULL },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Exactly what may be read: up to the terminator or CMDLINE_MAX bytes. */
    size_t len = size < CMDLINE_MAX ? size + 1 : CMDLINE_MAX;
    char *text = malloc(len);
    struct cmdline *cmdline = malloc(sizeof(*cmdline));

    memcpy(text, data, size < len ? size : len);
    if (size < CMDLINE_MAX)
        text[size] = 0;
    cmdline_parse(cmdline, "program", text, options);
    MUST(cmdline->argc >= 1 && cmdline->argc <= CMDLINE_ARGS);
    MUST(cmdline->argv[cmdline->argc] == NULL);
    MUST(strcmp(cmdline->argv[0], "program") == 0);
    for (int i = 1; i < cmdline->argc; i++) {
        const char *arg = cmdline->argv[i];

        MUST(arg >= cmdline->text && arg < cmdline->text + sizeof(cmdline->text));
        MUST(memchr(arg, 0, cmdline->text + sizeof(cmdline->text) - arg));
    }
    free(cmdline);
    free(text);
    return 0;
}
