/* SPDX-License-Identifier: MIT
 *
 * The parser of requests.  What comes is a stranger's: everything is measured by its length, every
 * byte is one that may be there, and in doubt the answer is 400.
 */
#include "request.h"
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* A line of the text, without its end. */
struct line {
    const char *at, *end;
};

/* May it be in a method or in the name of a header? RFC 9110, 5.6.2 */
static bool is_token(char c)
{
    static const uint64_t set[2] = { 0x03ff6cfa00000000, 0x57ffffffc7fffffe };

    return !(c & 0x80) && set[(unsigned char)c / 64] >> (c % 64) & 1;
}

/* Printable, no space. */
static bool is_visible(char c)
{
    return c > ' ' && c < 0x7f;
}

/* Every byte of the value is text, a space or a tab. */
static bool is_value(const char *at, const char *end)
{
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_word(const char *at, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(at, word, len) == 0;
}

/* The next line of the text; *text goes behind it. False: it is not whole yet. */
static bool next_line(struct line *line, const char **text, const char *end)
{
    const char *newline = memchr(*text, '\n', (size_t)(end - *text));

    if (!newline)
        return false;
    line->at = *text;
    line->end = newline > line->at && newline[-1] == '\r' ? newline - 1 : newline;
    *text = newline + 1;
    return true;
}

/* "/path?query", or "http://host/path?query" as proxies write it. */
static int parse_target(struct request *request, const char *at, const char *end)
{
    static const char scheme[] = "http://";
    const char *query;

    if (end - at > TARGET_MAX)
        return -414;
    if (end - at >= (long)strlen(scheme) && strncasecmp(at, scheme, strlen(scheme)) == 0) {
        at = memchr(at + strlen(scheme), '/', (size_t)(end - at) - strlen(scheme));
        if (!at) {
            at = "/";
            end = at + 1;
        }
    }
    if (at == end || *at != '/')
        return -400;
    query = memchr(at, '?', (size_t)(end - at));
    request->path = at;
    request->path_len = (size_t)((query ? query : end) - at);
    return 0;
}

static int parse_version(struct request *request, const char *at, const char *end)
{
    if (end - at != 8 || memcmp(at, "HTTP/", 5) != 0 || at[5] < '0' || at[5] > '9' ||
        at[6] != '.' || at[7] < '0' || at[7] > '9')
        return -400;
    if (at[5] != '1')
        return -505;
    request->v10 = at[7] == '0';
    request->keep_alive = !request->v10;
    return 0;
}

static int parse_request_line(struct request *request, struct line line)
{
    const char *method = line.at, *target, *version;
    size_t method_len;
    int rc;

    while (line.at < line.end && is_token(*line.at))
        line.at++;
    method_len = (size_t)(line.at - method);
    if (method_len == 0 || line.at == line.end || *line.at++ != ' ')
        return -400;
    for (target = line.at; line.at < line.end && is_visible(*line.at);)
        line.at++;
    version = line.at + 1;
    if (line.at == line.end || *line.at != ' ')
        return -400;
    rc = parse_version(request, version, line.end);
    if (rc == 0)
        rc = parse_target(request, target, line.at);
    if (rc)
        return rc;
    request->head = method_len == 4 && memcmp(method, "HEAD", 4) == 0;
    return request->head || (method_len == 3 && memcmp(method, "GET", 3) == 0) ? 0 : -405;
}

/* A list of words; ours are taken out. */
static void parse_connection(struct request *request, const char *at, const char *end)
{
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at)), *last = comma ? comma : end;
        const char *next = comma ? comma + 1 : end;

        while (at < last && (*at == ' ' || *at == '\t'))
            at++;
        while (at < last && (last[-1] == ' ' || last[-1] == '\t'))
            last--;
        if (is_word(at, (size_t)(last - at), "close"))
            request->keep_alive = false;
        else if (is_word(at, (size_t)(last - at), "keep-alive") && request->v10)
            request->keep_alive = true;
        at = next;
    }
}

/* We take no bodies, and one that is not taken would pass for the next request. */
static int parse_content_length(const char *at, const char *end)
{
    bool zero = true;

    if (at == end)
        return -400;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return -400;
        zero &= *at == '0';
    }
    return zero ? 0 : -413;
}

static int parse_header(struct request *request, struct line line, unsigned int *hosts)
{
    const char *name = line.at, *end = line.end;
    size_t len;

    while (line.at < end && is_token(*line.at))
        line.at++;
    len = (size_t)(line.at - name);
    if (len == 0 || line.at == end || *line.at++ != ':' || !is_value(line.at, end))
        return -400;
    while (line.at < end && (*line.at == ' ' || *line.at == '\t'))
        line.at++;
    while (line.at < end && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    switch (len) { /* few need a closer look */
    case 4:
        *hosts += is_word(name, len, "Host");
        return 0;
    case 10:
        if (is_word(name, len, "Connection"))
            parse_connection(request, line.at, end);
        return 0;
    case 14:
        return is_word(name, len, "Content-Length") ? parse_content_length(line.at, end) : 0;
    case 17:
        return is_word(name, len, "Transfer-Encoding") ? -413 : 0;
    default:
        return 0;
    }
}

int request_parse(struct request *request, const char *text, size_t len)
{
    const char *begin = text, *end = text + len;
    unsigned int hosts = 0;
    struct line line;
    int rc;

    do { /* some clients send an empty line behind a request */
        if (!next_line(&line, &text, end))
            return len >= REQUEST_MAX ? -414 : 0;
    } while (line.at == line.end);
    rc = parse_request_line(request, line);
    while (rc == 0) {
        if (!next_line(&line, &text, end))
            return len >= REQUEST_MAX ? -431 : 0;
        if (line.at == line.end)
            break;
        rc = parse_header(request, line, &hosts);
    }
    if (rc == 0 && (hosts > 1 || (hosts == 0 && !request->v10)))
        rc = -400;
    return rc ? rc : (int)(text - begin);
}
