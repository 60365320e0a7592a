/* SPDX-License-Identifier: MIT
 *
 * The command line: kernel options out of it, the rest as a shell would split it.
 */
#include <stdarg.h>
#include <stdlib.h>
#include "lib/cmdline.h"
#include "lib/log.h"
#include "tests/host/test.h"

static struct cmdline cmdline;
static const char *speed,
    *quiet; /* what the options were set to; quiet: "(none)" without a value */
static unsigned int sets;

static int set_speed(const char *value)
{
    static char kept[CMDLINE_MAX];

    sets++;
    if (!value || strcmp(value, "warp") == 0)
        return -XEN_EINVAL;
    speed = strcpy(kept, value);
    return 0;
}

static int set_quiet(const char *value)
{
    sets++;
    quiet = value ? "(some)" : "(none)";
    return 0;
}

/* In two lists, with an empty one in between. */
static const struct cmdline_option more_options[] = {
    { "quiet", "nothing (says less)", set_quiet, NULL },
    { NULL, NULL, NULL, NULL },
};
static const struct cmdline_option no_options[] = { { NULL, NULL, NULL, more_options } };
static const struct cmdline_option options[] = {
    { "speed", "slow|fast (how fast)", set_speed, NULL },
    { NULL, NULL, NULL, no_options },
};

/* Parse `text`; the arguments must be the ones that follow, up to a NULL. `rc` is what comes back.
 * The text lies at the end of a block, so that reading behind it is seen. */
static void expect(int rc, const char *text, ...)
{
    size_t len = strlen(text) + 1;
    char *copy = malloc(len);
    const char *want;
    int argc = 1;
    va_list args;

    memset(&cmdline, 0xa5, sizeof(cmdline));
    sets = 0;
    speed = quiet = NULL;
    CHECK_EQ(cmdline_parse(&cmdline, "prog", memcpy(copy, text, len), options), rc);
    free(copy);
    CHECK_STR(cmdline.argv[0], "prog");
    va_start(args, text);
    while ((want = va_arg(args, const char *)) != NULL) {
        if (argc < cmdline.argc)
            CHECK_STR(cmdline.argv[argc], want);
        argc++;
    }
    va_end(args);
    CHECK_EQ(cmdline.argc, argc);
    CHECK(cmdline.argv[cmdline.argc] == NULL);
}

TEST(empty_is_the_program_alone)
{
    expect(0, "", NULL);
    expect(0, " \t\n  ", NULL);
}

TEST(words_are_split)
{
    expect(0, "one", "one", NULL);
    expect(0, "  one\ttwo \n three  ", "one", "two", "three", NULL);
    expect(0, "a=b -", "a=b", "-", NULL);   /* a lone - is standard input */
    expect(-XEN_EINVAL, "x -5", "x", NULL); /* no option of ours: quote it, or put it behind -- */
}

TEST(quotes_as_in_a_shell)
{
    expect(0, "'a b' c", "a b", "c", NULL);
    expect(0, "\"a b\" c", "a b", "c", NULL);
    expect(0, "a' 'b\" \"c", "a b c", NULL);
    expect(0, "'' \"\" x", "", "", "x", NULL);
    expect(0, "'\"' \"'\"", "\"", "'", NULL);
    expect(0, "'a\\b\\' c", "a\\b\\", "c", NULL);
    expect(0, "\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d", NULL);
    expect(0, "a\\ b \\'c \\\\ \\\"", "a b", "'c", "\\", "\"", NULL);
    expect(0, "end\\", "end\\", NULL);
    expect(0, "'\t\n'", "\t\n", NULL);
}

TEST(quote_without_partner)
{
    expect(-XEN_EINVAL, "a 'b c", "a", "b c", NULL);
    CHECK_EQ(fake_logged("command line: ' without its partner in: b c"), 1);
    expect(-XEN_EINVAL, "a \"", "a", "", NULL);
    expect(-XEN_EINVAL, "\"a\\\"", "a\"", NULL);
    expect(0, "it\\'s", "it's", NULL);
}

TEST(options_are_taken_out_anywhere)
{
    expect(0, "-speed=fast a b", "a", "b", NULL);
    CHECK_STR(speed, "fast");
    expect(0, "a -speed=slow b -quiet", "a", "b", NULL);
    CHECK_STR(speed, "slow");
    CHECK_STR(quiet, "(none)");
    expect(0, "-quiet=", NULL);
    CHECK_STR(quiet, "(some)"); /* an empty value is a value */
    expect(0, "-speed='a b'", NULL);
    CHECK_STR(speed, "a b");
    expect(0, "-speed=a=b -speed=", NULL);
    CHECK_STR(speed, ""); /* the last one counts */
    CHECK_EQ(sets, 2);
}

TEST(quoted_or_behind_dashes_is_the_programs)
{
    expect(0, "'-quiet' \"-speed=x\" \\-z", "-quiet", "-speed=x", "-z", NULL);
    CHECK_EQ(sets, 0);
    expect(0, "-quiet -- -quiet -unknown -- a", "-quiet", "-unknown", "--", "a", NULL);
    CHECK_EQ(sets, 1);
    expect(0, "'--' -quiet", "--", NULL);
    CHECK_EQ(sets, 1);
    expect(0, "--", NULL);
}

TEST(unknown_option_lists_the_known)
{
    expect(-XEN_EINVAL, "a -sped=fast b -quiet", "a", "b", NULL);
    CHECK_EQ(sets, 1); /* the rest is used */
    CHECK_EQ(fake_logged("unknown kernel option -sped=fast"), 1);
    CHECK_EQ(fake_logged("-speed=slow|fast (how fast)"), 1);
    CHECK_EQ(fake_logged("-quiet=nothing"), 1);
    expect(-XEN_EINVAL, "--help", NULL);
    expect(-XEN_EINVAL, "-spee=1 -speedy=1 -=1 -=", NULL);
    CHECK_EQ(sets, 0);
}

TEST(bad_value_says_what_it_may_be)
{
    expect(-XEN_EINVAL, "-speed=warp a", "a", NULL);
    CHECK_EQ(fake_logged("-speed=warp: the value must be slow|fast (how fast)"), 1);
    expect(-XEN_EINVAL, "-speed a", "a", NULL);
    CHECK(speed == NULL);
    expect(-XEN_EINVAL, "-speed=warp -speed=fast", NULL);
    CHECK_STR(speed, "fast");
}

TEST(sixty_four_arguments_and_more)
{
    char text[CMDLINE_MAX], last[16];

    for (unsigned int count = 60; count < 70; count++) {
        unsigned int fits = MIN(count, CMDLINE_ARGS - 1); /* argv[0] is one of them */

        text[0] = '\0';
        for (unsigned int i = 0; i < count; i++)
            sprintf(text + strlen(text), "w%u ", i);
        CHECK_EQ(cmdline_parse(&cmdline, "prog", text, options), count == fits ? 0 : -XEN_EINVAL);
        CHECK_EQ(cmdline.argc, 1 + fits);
        CHECK_STR(cmdline.argv[1], "w0");
        sprintf(last, "w%u", fits - 1);
        CHECK_STR(cmdline.argv[fits], last);
        CHECK(cmdline.argv[1 + fits] == NULL);
    }
    CHECK_EQ(fake_logged("ignored from: w63"), 6);
}

/* `len` bytes of `fill` without a terminator, the processor's and the sanitizer's limit behind
 * them. */
static int parse_unterminated(size_t len, char fill)
{
    char *text = malloc(len);
    int rc;

    memset(text, fill, len);
    rc = cmdline_parse(&cmdline, "prog", text, options);
    free(text);
    return rc;
}

TEST(unterminated_text_of_the_longest_length)
{
    CHECK_EQ(parse_unterminated(CMDLINE_MAX, 'x'), -XEN_EINVAL);
    CHECK_EQ(cmdline.argc, 2);
    CHECK_EQ(strlen(cmdline.argv[1]), CMDLINE_MAX);
    CHECK_EQ(fake_logged("command line: cut at"), 1);
    CHECK_EQ(parse_unterminated(CMDLINE_MAX, '\''), -XEN_EINVAL);
    CHECK_EQ(cmdline.argc, 2);
    CHECK_EQ(strlen(cmdline.argv[1]), 0);
    CHECK_EQ(parse_unterminated(CMDLINE_MAX, '\\'), -XEN_EINVAL);
    CHECK_EQ(strlen(cmdline.argv[1]), CMDLINE_MAX / 2);
    CHECK_EQ(parse_unterminated(CMDLINE_MAX, '-'), -XEN_EINVAL);
    CHECK_EQ(cmdline.argc, 1);
    CHECK_EQ(parse_unterminated(CMDLINE_MAX, ' '), -XEN_EINVAL);
    CHECK_EQ(cmdline.argc, 1);
}

TEST(over_long_text_is_cut_and_used)
{
    char text[2 * CMDLINE_MAX];

    memset(text, 'y', sizeof(text));
    memcpy(text, "-speed=fast one ", 16);
    text[sizeof(text) - 1] = '\0';
    CHECK_EQ(cmdline_parse(&cmdline, "prog", text, options), -XEN_EINVAL);
    CHECK_STR(speed, "fast");
    CHECK_STR(cmdline.argv[1], "one");
    CHECK_EQ(strlen(cmdline.argv[2]), CMDLINE_MAX - 16);
    text[CMDLINE_MAX - 1] = '\0'; /* the longest that is not cut */
    CHECK_EQ(cmdline_parse(&cmdline, "prog", text, options), 0);
    CHECK_EQ(strlen(cmdline.argv[2]), CMDLINE_MAX - 17);
}

TEST(program_name_of_any_length)
{
    char name[3 * CMDLINE_MAX], text[CMDLINE_MAX];

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    memset(text, 't', sizeof(text));
    for (size_t i = 1; i < sizeof(text); i += 2)
        text[i] = i < 100 ? ' ' : 't';
    CHECK_EQ(cmdline_parse(&cmdline, name, text, options), -XEN_EINVAL);
    CHECK_GE(strlen(cmdline.argv[0]), 64);
    CHECK_EQ(cmdline.argc, 52);
    CHECK_EQ(cmdline_parse(&cmdline, "", "a", options), 0);
    CHECK_STR(cmdline.argv[0], "");
    CHECK_STR(cmdline.argv[1], "a");
}

/* Any bytes: everything argv names lies in cmdline.text and ends there. */
TEST(random_bytes_stay_inside)
{
    static const char alphabet[] = "ab -='\"\\\t\n\x80\xff-speed quiet";
    unsigned long seed = 3;

    log_level = LOG_ERROR;
    for (unsigned int run = 0; run < 3000; run++) {
        size_t len = run % (CMDLINE_MAX + 1);
        char *text = malloc(len + 1);

        for (size_t i = 0; i < len; i++) {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            text[i] = alphabet[(seed >> 33) % (sizeof(alphabet) - 1)];
        }
        text[len] = '\0';
        cmdline_parse(&cmdline, "prog", text, options);
        free(text);
        CHECK(cmdline.argc >= 1 && cmdline.argc <= CMDLINE_ARGS);
        for (int i = 0; i < cmdline.argc; i++) {
            size_t at = (size_t)(cmdline.argv[i] - cmdline.text);

            CHECK_LT(at, sizeof(cmdline.text));
            CHECK(memchr(cmdline.argv[i], '\0', sizeof(cmdline.text) - at) != NULL);
        }
        CHECK(cmdline.argv[cmdline.argc] == NULL);
    }
}
