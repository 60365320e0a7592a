/* SPDX-License-Identifier: MIT
 *
 * <arpa/inet.h>: addresses and their text, by RFC 4291 and RFC 5952.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One to four numbers, decimal, octal or hexadecimal; the last one fills what is left. */
int inet_aton(const char *text, struct in_addr *out)
{
    unsigned long parts[4];
    int count = 0;
    uint32_t address = 0;

    for (;;) {
        char *end;

        if (count == 4 || *text < '0' || *text > '9')
            return 0;
        parts[count++] = strtoul(text, &end, 0);
        text = end;
        if (*text != '.')
            break;
        text++;
    }
    if (*text && *text != ' ' && *text != '\n')
        return 0;
    for (int i = 0; i < count - 1; i++) {
        if (parts[i] > 255)
            return 0;
        address |= (uint32_t)parts[i] << (24 - 8 * i);
    }
    if (parts[count - 1] > 0xffffffffUL >> (8 * (count - 1)))
        return 0;
    out->s_addr = htonl(address | (uint32_t)parts[count - 1]);
    return 1;
}

in_addr_t inet_addr(const char *text)
{
    struct in_addr address;

    return inet_aton(text, &address) ? address.s_addr : INADDR_NONE;
}

char *inet_ntoa(struct in_addr address)
{
    static _Thread_local char text[INET_ADDRSTRLEN];

    return (char *)inet_ntop(AF_INET, &address, text, sizeof(text));
}

/* Exactly four decimal numbers. */
static int parse_v4(const char *text, uint8_t out[4])
{
    for (int i = 0; i < 4; i++) {
        unsigned int number = 0;
        int digits = 0;

        while (*text >= '0' && *text <= '9' && digits < 4) {
            if (digits && number == 0)
                return 0; /* 01 might be octal */
            number = number * 10 + (unsigned int)(*text++ - '0');
            digits++;
        }
        if (digits == 0 || number > 255 || *text != (i < 3 ? '.' : '\0'))
            return 0;
        out[i] = (uint8_t)number;
        text++;
    }
    return 1;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 87 : -1;
}

static int parse_v6(const char *text, uint8_t out[16])
{
    uint8_t bytes[16] = { 0 };
    int at = 0, gap = -1;

    if (text[0] == ':' && *++text != ':')
        return 0;
    while (*text) {
        const char *group = text;
        unsigned int number = 0;
        int digits = 0;

        if (*text == ':') {
            if (gap >= 0)
                return 0;
            gap = at;
            text++;
            continue;
        }
        while (hex_digit(*text) >= 0 && digits < 5) {
            number = number << 4 | (unsigned int)hex_digit(*text++);
            digits++;
        }
        if (*text == '.') {
            if (at > 12 || !parse_v4(group, bytes + at))
                return 0;
            at += 4;
            break;
        }
        if (digits == 0 || digits > 4 || at > 14 || (*text && *text != ':') ||
            (*text == ':' && !text[1]))
            return 0;
        bytes[at++] = (uint8_t)(number >> 8);
        bytes[at++] = (uint8_t)number;
        text += *text == ':';
    }
    if (gap < 0 ? at != 16 : at > 14)
        return 0;
    memset(out, 0, 16);
    if (gap < 0)
        gap = 16;
    memcpy(out, bytes, (size_t)(gap < at ? gap : at));
    if (gap < at)
        memcpy(out + 16 - (at - gap), bytes + gap, (size_t)(at - gap));
    return 1;
}

int inet_pton(int family, const char *restrict text, void *restrict out)
{
    uint8_t bytes[16];
    int ok;

    if (family != AF_INET && family != AF_INET6) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    ok = family == AF_INET ? parse_v4(text, bytes) : parse_v6(text, bytes);
    if (ok)
        memcpy(out, bytes, family == AF_INET ? 4 : 16);
    return ok;
}

static void print_v6(const uint8_t *a, char *out)
{
    int best = -1, best_len = 1;

    for (int i = 0; i < 8; i++) { /* the longest run of zero groups, two at least */
        int len = 0;

        while (i + len < 8 && !a[2 * (i + len)] && !a[2 * (i + len) + 1])
            len++;
        if (len > best_len) {
            best = i;
            best_len = len;
        }
        i += len ? len - 1 : 0;
    }
    if (best == 0 && best_len == 5 && a[10] == 0xff && a[11] == 0xff) {
        sprintf(out, "::ffff:%u.%u.%u.%u", a[12], a[13], a[14], a[15]);
        return;
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            out += sprintf(out, "::");
            i += best_len - 1;
            continue;
        }
        out += sprintf(out, "%s%x", i && i != best + best_len ? ":" : "",
                       a[2 * i] << 8 | a[2 * i + 1]);
    }
}

const char *inet_ntop(int family, const void *restrict address, char *restrict out, socklen_t len)
{
    const uint8_t *a = address;
    char text[INET6_ADDRSTRLEN];

    if (family == AF_INET) {
        sprintf(text, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
    } else if (family == AF_INET6) {
        print_v6(a, text);
    } else {
        errno = EAFNOSUPPORT;
        return NULL;
    }
    if (strlen(text) >= len) {
        errno = ENOSPC;
        return NULL;
    }
    return strcpy(out, text);
}
