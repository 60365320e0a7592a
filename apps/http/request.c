/* SPDX-License-Identifier: MIT
 *
 * Requests of HTTP/1.0 and 1.1, as far as a server needs them that only gives: RFC 9112.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "http.h"

/* The next word of a line; *at goes behind it and the one space. False: none, or too long. */
static bool word(const char **at, const char *end, char *out, size_t size)
{
    size_t len = 0;

    while (*at<end &&* * at> ' ' && **at < 127) {
        if (len + 1 >= size)
            return false;
        out[len++] = *(*at)++;
    }
    out[len] = '\0';
    if (*at < end && **at == ' ')
        (*at)++;
    return len > 0;
}

/* Does this header line have that name? Its value, or NULL. */
static const char *value_of(const char *line, const char *end, const char *name)
{
    size_t len = strlen(name);

    if ((size_t)(end - line) <= len || strncasecmp(line, name, len) != 0 || line[len] != ':')
        return NULL;
    for (line += len + 1; line < end && (*line == ' ' || *line == '\t');)
        line++;
    return line;
}

static int request_line(struct request *request, const char *line, const char *end)
{
    char method[16], version[16];

    if (!word(&line, end, method, sizeof(method)))
        return -400;
    if (!word(&line, end, request->path, sizeof(request->path)))
        return line<end && * line> ' ' ? -414 : -400;
    if (!word(&line, end, version, sizeof(version)) || line != end)
        return -400;
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return strncmp(version, "HTTP/", 5) == 0 ? -505 : -400;
    request->keep_alive = version[7] == '1';
    request->head = strcmp(method, "HEAD") == 0;
    if (!request->head && strcmp(method, "GET") != 0)
        return -405;
    return request->path[0] == '/' ? 0 : -400;
}

static int header_line(struct request *request, const char *line, const char *end)
{
    const char *value;

    if (!memchr(line, ':', (size_t)(end - line)) || isspace((unsigned char)*line))
        return -400;
    if ((value = value_of(line, end, "Connection"))) {
        if (strncasecmp(value, "close", 5) == 0)
            request->keep_alive = false;
        else if (strncasecmp(value, "keep-alive", 10) == 0)
            request->keep_alive = true;
    }
    /* A body would be taken for the next request. */
    if ((value = value_of(line, end, "Content-Length")) && (*value != '0' || value + 1 != end))
        return -413;
    return value_of(line, end, "Transfer-Encoding") ? -413 : 0;
}

int request_parse(struct request *request, const char *text, size_t len)
{
    const char *line = text, *end = text + len;
    bool first = true;
    int rc = 0;

    if (memchr(text, '\0', len))
        return -400;
    for (;;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line)), *line_end = newline;

        if (!newline)
            return len + 1 >= REQUEST_MAX ? (first ? -414 : -431) : 0;
        if (line_end > line && line_end[-1] == '\r')
            line_end--;
        if (line_end == line && !first)
            break; /* the empty line */
        if (line_end != line) {
            rc = first ? request_line(request, line, line_end)
                       : header_line(request, line, line_end);
            first = false;
        }
        if (rc)
            return rc;
        line = newline + 1;
    }
    return (int)((const char *)memchr(line, '\n', (size_t)(end - line)) + 1 - text);
}
