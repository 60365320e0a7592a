/* SPDX-License-Identifier: MIT
 *
 * Splitting the command line into kernel options and argv.
 */
#include <string.h>
#include "lib/cmdline.h"
#include "lib/log.h"

/* Take one word off *text into *out with its quotes undone: '...' keeps all, "..." lets \ quote
 * \ and ", a bare \ quotes any character. Returns the word, or NULL at the end. *quoted: it began
 * with a quote, so it is no option. *rc becomes -XEN_EINVAL when a quote has no end. */
static char *next_word(const char **text, const char *end, char **out, bool *quoted, int *rc)
{
    const char *at = *text;
    char *word = *out;
    char quote = 0;

    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n'))
        at++;
    if (at == end)
        return NULL;
    *quoted = *at == '\'' || *at == '"' || *at == '\\';
    for (; at < end && (quote || (*at != ' ' && *at != '\t' && *at != '\n')); at++) {
        if (quote ? *at == quote : *at == '\'' || *at == '"') {
            quote = quote ? 0 : *at;
        } else if (*at == '\\' && quote != '\'' && at + 1 < end &&
                   (!quote || at[1] == '"' || at[1] == '\\')) {
            *(*out)++ = *++at;
        } else {
            *(*out)++ = *at;
        }
    }
    *(*out)++ = '\0';
    *text = at;
    if (quote) {
        log_error("command line: %c without its partner in: %s", quote, word);
        *rc = -XEN_EINVAL;
    }
    return word;
}

/* `option`, or where its list goes on; NULL: nowhere. */
static const struct cmdline_option *here_or_more(const struct cmdline_option *option)
{
    while (option && !option->name)
        option = option->more;
    return option;
}

static const struct cmdline_option *find_option(const struct cmdline_option *options,
                                                const char *word, const char **value)
{
    size_t len = strcspn(word, "=");

    *value = word[len] ? word + len + 1 : NULL;
    while ((options = here_or_more(options))) {
        if (strlen(options->name) == len && memcmp(options->name, word, len) == 0)
            return options;
        options++;
    }
    return NULL;
}

static int set_option(const struct cmdline_option *options, const char *word)
{
    const char *value;
    const struct cmdline_option *option = find_option(options, word + 1, &value);

    if (option && option->set(value) == 0)
        return 0;
    if (option) {
        log_error("command line: %s: the value must be %s", word, option->help);
        return -XEN_EINVAL;
    }
    log_error("command line: unknown kernel option %s; known are:", word);
    for (option = options; (option = here_or_more(option)); option++)
        log_error("  -%s=%s", option->name, option->help);
    log_error("  -- ends the kernel options: what follows is the program's");
    return -XEN_EINVAL;
}

int cmdline_parse(struct cmdline *cmdline, const char *program, const char *text,
                  const struct cmdline_option *options)
{
    size_t len = strnlen(text, CMDLINE_MAX);
    const char *end = text + len;
    char *out = cmdline->text;
    bool options_over = false, quoted;
    size_t program_len = strnlen(program, CMDLINE_MAX / 2);
    char *word;
    int rc = 0;

    memcpy(out, program, program_len);
    out[program_len] = '\0';
    cmdline->argv[0] = out;
    cmdline->argc = 1;
    out += program_len + 1;
    if (len == CMDLINE_MAX) {
        log_error("command line: cut at %u bytes", CMDLINE_MAX);
        rc = -XEN_EINVAL;
    }
    while ((word = next_word(&text, end, &out, &quoted, &rc))) {
        if (!options_over && !quoted && strcmp(word, "--") == 0) {
            options_over = true;
        } else if (!options_over && !quoted && word[0] == '-' && word[1]) {
            int one = set_option(options, word);

            rc = one ? one : rc;
        } else if (cmdline->argc == CMDLINE_ARGS) {
            log_error("command line: over %u arguments; ignored from: %s", CMDLINE_ARGS, word);
            rc = -XEN_EINVAL;
            break;
        } else {
            cmdline->argv[cmdline->argc++] = word;
        }
    }
    cmdline->argv[cmdline->argc] = NULL;
    return rc;
}
