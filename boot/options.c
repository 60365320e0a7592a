/* SPDX-License-Identifier: MIT
 *
 * Kernel options: each is a name, one line of help and a function that judges the value.
 */
#include "boot/options.h"
#include "console/console.h"
#include <string.h>
#include "lib/log.h"
#include "mm/page.h"
#include "arch/uart.h"

#define STACK_ORDER_MIN 3

static enum events_abi events_abi = EVENTS_AUTO;
static unsigned int stack_order = 6;

enum events_abi options_events_abi(void)
{
    return events_abi;
}

unsigned int options_main_stack_order(void)
{
    return stack_order;
}

/* The index of `value` among `count` words, or -1. */
static int choose(const char *value, const char *const *words, int count)
{
    for (int i = 0; value && i < count; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    return -1;
}

static int set_loglevel(const char *value)
{
    static const char *const words[] = { "error", "warn", "info", "debug" };
    int n = choose(value, words, ARRAY_SIZE(words));

    if (n < 0)
        return -XEN_EINVAL;
    log_level = (enum log_level)n;
    return 0;
}

static int set_events(const char *value)
{
    static const char *const words[] = { "auto", "2l", "fifo" };
    int n = choose(value, words, ARRAY_SIZE(words));

    if (n < 0)
        return -XEN_EINVAL;
    events_abi = (enum events_abi)n;
    return 0;
}

static int set_stack(const char *value)
{
    unsigned long kib = 0;

    if (!value || !*value)
        return -XEN_EINVAL;
    for (; *value >= '0' && *value <= '9' && kib < 10000; value++)
        kib = kib * 10 + (unsigned long)(*value - '0');
    if (*value)
        return -XEN_EINVAL;
    for (unsigned int order = STACK_ORDER_MIN; order <= PAGE_MAX_ORDER; order++) {
        if (PAGE_SIZE << order >= kib * 1024) {
            stack_order = order;
            return 0;
        }
    }
    return -XEN_EINVAL;
}

/* io:PORT, in hexadecimal. */
static int set_uart(const char *value)
{
    unsigned int port = 0;

    if (!value || strncmp(value, "io:0x", 5) != 0)
        return -XEN_EINVAL;
    for (value += 5; *value && port < 0x1000; value++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = strchr(digits, *value);

        if (!digit)
            return -XEN_EINVAL;
        port = port << 4 | (unsigned int)(digit - digits);
    }
    if (*value || port == 0)
        return -XEN_EINVAL;
    if (uart_open((uint16_t)port))
        log_warn("uart: nothing at I/O port 0x%x", port);
    else
        console_set_copy(uart_write, uart_read);
    return 0;
}

const struct cmdline_option boot_options[] = {
    { "loglevel", "error|warn|info|debug (what the kernel says; warn)", set_loglevel, NULL },
    { "events", "auto|2l|fifo (event channel ABI; auto: fifo where Xen has it)", set_events, NULL },
    { "stack", "KIB (main's stack, at most 2048; 256)", set_stack, NULL },
    { "uart", "io:0xPORT (a serial port that is a console too, 0x3f8 in an HVM domain; none)",
      set_uart, NULL },
    { NULL, NULL, NULL, network_options },
};
