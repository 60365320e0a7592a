/* SPDX-License-Identifier: MIT
 *
 * The kernel's printf: integers and strings, no memory but the caller's, any context.
 */
#include <string.h>
#include "lib/log.h"

#define COUNT_MAX 100000 /* a width over this is a mistake */

struct output {
    char *at, *end; /* end: where the terminator must still fit */
    size_t total;
};

struct spec {
    unsigned int width;
    int precision; /* -1: none */
    bool left, zero;
    unsigned int size; /* sizeof the integer */
};

static void put(struct output *out, char c)
{
    if (out->at < out->end)
        *out->at++ = c;
    out->total++;
}

static void put_padded(struct output *out, const struct spec *spec, const char *text, size_t len,
                       char pad)
{
    for (size_t n = len; !spec->left && n < spec->width; n++)
        put(out, pad);
    for (size_t n = 0; n < len; n++)
        put(out, text[n]);
    for (size_t n = len; spec->left && n < spec->width; n++)
        put(out, ' ');
}

/* `prefix` is "-", "0x" or "": part of the width, and before the zeroes of a zero-padded number. */
static void put_number(struct output *out, const struct spec *spec, uint64_t value,
                       unsigned int base, const char *prefix, const char *digits)
{
    char text[24]; /* 20 digits of the largest number and a prefix */
    char *at = text + sizeof(text);
    size_t prefix_len = strlen(prefix);
    struct spec rest = *spec;

    do
        *--at = digits[value % base];
    while (value /= base);
    if (spec->zero && !spec->left) {
        rest.width -= MIN(rest.width, prefix_len);
        while (*prefix)
            put(out, *prefix++);
        put_padded(out, &rest, at, text + sizeof(text) - at, '0');
    } else {
        at = memcpy(at - prefix_len, prefix, prefix_len);
        put_padded(out, &rest, at, text + sizeof(text) - at, ' ');
    }
}

static uint64_t take_unsigned(const struct spec *spec, va_list *args)
{
    uint64_t value = spec->size == 8 ? va_arg(*args, uint64_t) : va_arg(*args, unsigned int);

    return spec->size == 2 ? (uint16_t)value : value;
}

static int64_t take_signed(const struct spec *spec, va_list *args)
{
    int64_t value = spec->size == 8 ? va_arg(*args, int64_t) : va_arg(*args, int);

    return spec->size == 2 ? (int16_t)value : value;
}

/* Digits, or a '*' that stands for an argument, which may be negative. */
static int parse_count(const char **format, va_list *args)
{
    int n = 0;

    if (**format == '*') {
        ++*format;
        return va_arg(*args, int);
    }
    for (; **format >= '0' && **format <= '9'; ++*format)
        n = n < COUNT_MAX ? n * 10 + (**format - '0') : n;
    return n;
}

static struct spec parse_spec(const char **format, va_list *args)
{
    struct spec spec = { .precision = -1, .size = sizeof(int) };
    unsigned int longs = 0; /* not told by the size: int and long are one size on some CPUs */
    int count;

    for (;; ++*format) {
        if (**format == '-')
            spec.left = true;
        else if (**format == '0')
            spec.zero = true;
        else
            break;
    }
    count = parse_count(format, args);
    spec.left |= count < 0;
    spec.width = count < 0 ? -(unsigned int)count : (unsigned int)count;
    if (**format == '.') {
        ++*format;
        spec.precision = parse_count(format, args);
    }
    for (;; ++*format) {
        if (**format == 'l')
            spec.size = ++longs > 1 ? sizeof(long long) : sizeof(long);
        else if (**format == 'z')
            spec.size = sizeof(size_t);
        else if (**format == 'h')
            spec.size = sizeof(short);
        else
            return spec;
    }
}

static void put_conversion(struct output *out, char conversion, const struct spec *spec,
                           va_list *args)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    const char *text;
    int64_t number;
    char c;

    switch (conversion) {
    case 'd':
    case 'i':
        number = take_signed(spec, args);
        put_number(out, spec, number < 0 ? -(uint64_t)number : (uint64_t)number, 10,
                   number < 0 ? "-" : "", lower);
        break;
    case 'u':
        put_number(out, spec, take_unsigned(spec, args), 10, "", lower);
        break;
    case 'x':
        put_number(out, spec, take_unsigned(spec, args), 16, "", lower);
        break;
    case 'X':
        put_number(out, spec, take_unsigned(spec, args), 16, "", upper);
        break;
    case 'p':
        put_number(out, spec, (uintptr_t)va_arg(*args, void *), 16, "0x", lower);
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        put_padded(out, spec, &c, 1, ' ');
        break;
    case 's':
        text = va_arg(*args, const char *);
        text = text ? text : "(null)";
        put_padded(out, spec, text,
                   spec->precision >= 0 ? strnlen(text, spec->precision) : strlen(text), ' ');
        break;
    default: /* '%', or one nobody knows: shown as it is */
        put(out, conversion);
    }
}

int format_text_v(char *buffer, size_t size, const char *format, va_list list)
{
    struct output out = { buffer, size ? buffer + size - 1 : buffer, 0 };
    va_list args;

    va_copy(args, list);
    for (; *format; format++) {
        if (*format != '%') {
            put(&out, *format);
            continue;
        }
        format++;
        struct spec spec = parse_spec(&format, &args);

        if (!*format)
            break;
        put_conversion(&out, *format, &spec, &args);
    }
    va_end(args);
    if (size)
        *out.at = '\0';
    return (int)out.total;
}

int format_text(char *out, size_t size, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = format_text_v(out, size, format, args);
    va_end(args);
    return len;
}
