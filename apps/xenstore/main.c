/* SPDX-License-Identifier: MIT
 *
 * xenstore from inside a domain.  With arguments: one command, then the end; without: commands
 * from the console, one a line, until Ctrl-D or "quit".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mm/kmem.h"
#include "xenolith.h"

#define WORDS 4

static int ls(char **word)
{
    unsigned int count;
    char *names;
    int rc = xenstore_directory(XBT_NIL, word[1], &names, &count);

    if (rc)
        return rc;
    for (const char *name = names; count > 0; count--, name += strlen(name) + 1)
        printf("%s\n", name);
    kmem_free(names);
    return 0;
}

static int read_value(char **word)
{
    char *value;
    size_t len;
    int rc = xenstore_read(XBT_NIL, word[1], &value, &len);

    if (rc)
        return rc;
    fwrite(value, 1, len, stdout);
    putchar('\n');
    kmem_free(value);
    return 0;
}

static int write_value(char **word)
{
    return xenstore_write(XBT_NIL, word[1], word[2], strlen(word[2]));
}

static int make(char **word)
{
    return xenstore_mkdir(XBT_NIL, word[1]);
}

static int rm(char **word)
{
    return xenstore_rm(XBT_NIL, word[1]);
}

static int perms(char **word)
{
    unsigned int count;
    char *list;
    int rc = xenstore_get_perms(XBT_NIL, word[1], &list, &count);

    if (rc)
        return rc;
    for (const char *perm = list; count > 0; count--, perm += strlen(perm) + 1)
        printf("%s\n", perm);
    kmem_free(list);
    return 0;
}

/* In xenstore's watch thread. */
static void print_change(struct xenstore_watch *watch, const char *path)
{
    (void)watch;
    printf("changed: %s\n", path);
    fflush(stdout);
}

/* Stays until the domain ends. */
static int watch(char **word)
{
    struct xenstore_watch *watch = calloc(1, sizeof(*watch));
    int rc = -XEN_ENOMEM;

    if (watch) {
        watch->path = strdup(word[1]);
        watch->fn = print_change;
        if (watch->path)
            rc = xenstore_watch(watch);
    }
    if (rc && watch) {
        free((char *)(uintptr_t)watch->path);
        free(watch);
    }
    return rc;
}

static const struct command {
    const char *name, *usage;
    int words; /* its own included */
    int (*fn)(char **word);
} commands[] = {
    { "ls", "ls PATH", 2, ls },
    { "read", "read PATH", 2, read_value },
    { "write", "write PATH VALUE", 3, write_value },
    { "mkdir", "mkdir PATH", 2, make },
    { "rm", "rm PATH", 2, rm },
    { "perms", "perms PATH", 2, perms },
    { "watch", "watch PATH", 2, watch },
};

static int run(int words, char **word)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        const struct command *command = &commands[i];
        int rc;

        if (strcmp(word[0], command->name) != 0 || words != command->words)
            continue;
        rc = command->fn(word);
        if (rc)
            printf("%s %s: %s\n", word[0], word[1], error_name(rc));
        return rc ? 1 : 0;
    }
    printf("commands:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        printf("  %s\n", commands[i].usage);
    printf("  quit\n");
    return 2;
}

int main(int argc, char **argv)
{
    char line[XENSTORE_PAYLOAD_MAX];

    if (argc > 1) {
        int rc = run(argc - 1, argv + 1);

        while (rc == 0 && strcmp(argv[1], "watch") == 0)
            thread_sleep_until(TIME_NEVER);
        return rc;
    }
    printf("xenstore: ls, read, write, mkdir, rm, perms, watch, quit\n");
    while (fgets(line, sizeof(line), stdin)) {
        char *word[WORDS], *rest = line;
        int words = 0;

        while (words < WORDS && (word[words] = strtok_r(rest, " \t\r\n", &rest)) != NULL)
            words++;
        if (words > 0 && strcmp(word[0], "quit") == 0)
            break;
        if (words > 0)
            run(words, word);
    }
    return 0;
}
