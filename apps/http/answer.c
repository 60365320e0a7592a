/* SPDX-License-Identifier: MIT
 *
 * What is answered: the page, its figures, bytes to measure by, or why not.
 */
#include <string.h>
#include <time.h>
#include "http.h"
#include "stats.h"

#define BYTES_MAX (1ULL << 50)

/* page.html, by the Makefile. */
extern const char page_html[], page_html_end[];

#define ROW     "Xenolith 0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOP\n"
#define FOUR(x) x x x x
const char bytes_pattern[] = FOUR(FOUR(FOUR(ROW)));

_Static_assert(sizeof(bytes_pattern) == PATTERN_SIZE + 1, "a row has 64 bytes");

/* --- text, of which the sum is known to fit --- */

static inline char *put(char *at, const char *text, size_t len)
{
    return (char *)memcpy(at, text, len) + len;
}
#define PUT(at, text) put((at), (text), strlen(text))

static char *put_number(char *at, uint64_t number)
{
    char digits[20], *first = digits + sizeof(digits);

    do
        *--first = (char)('0' + number % 10);
    while (number /= 10);
    return put(at, first, (size_t)(digits + sizeof(digits) - first));
}

static char *put_two(char *at, int number)
{
    *at++ = (char)('0' + number / 10 % 10);
    *at++ = (char)('0' + number % 10);
    return at;
}

/* strftime() could do it, and would bring locales and time zones into the image. */
void answer_date(char date[DATE_MAX])
{
    static const char days[] = "Sun, Mon, Tue, Wed, Thu, Fri, Sat, ";
    static const char months[] = " Jan  Feb  Mar  Apr  May  Jun  Jul  Aug  Sep  Oct  Nov  Dec ";
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    date = put_two(put(date, days + 5 * tm.tm_wday, 5), tm.tm_mday);
    date = put_number(put(date, months + 5 * tm.tm_mon, 5), (uint64_t)tm.tm_year + 1900);
    *date++ = ' ';
    date = PUT(put_two(date, tm.tm_hour), ":");
    date = PUT(put_two(date, tm.tm_min), ":");
    put(put_two(date, tm.tm_sec), " GMT", 5);
}

static const char *status_text(int status)
{
    switch (status) {
    case 200:
        return "200 OK";
    case 400:
        return "400 Bad Request";
    case 404:
        return "404 Not Found";
    case 405:
        return "405 Method Not Allowed";
    case 408:
        return "408 Request Timeout";
    case 413:
        return "413 Content Too Large";
    case 414:
        return "414 URI Too Long";
    case 431:
        return "431 Request Header Fields Too Large";
    case 505:
        return "505 HTTP Version Not Supported";
    default:
        return "500 Internal Server Error";
    }
}

/* --- what there is --- */

static bool is_path(const struct request *request, const char *path)
{
    return request->path_len == strlen(path) && memcmp(request->path, path, strlen(path)) == 0;
}

/* /bytes/N: false if it is something else; else *n is N. */
static bool bytes_wanted(const struct request *request, uint64_t *n)
{
    static const char folder[] = "/bytes/";
    const char *at = request->path + strlen(folder), *end = request->path + request->path_len;
    uint64_t number = 0;

    if (end <= at || memcmp(request->path, folder, strlen(folder)) != 0)
        return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9' || number > BYTES_MAX)
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    if (number > BYTES_MAX)
        return false;
    *n = number;
    return true;
}

int answer_make(struct answer *answer, const struct request *request, int status, bool last,
                const char *date)
{
    char made[ANSWER_TEXT_MAX], *at = answer->text;
    const char *type = "text/plain; charset=utf-8\r\nCache-Control: no-store";
    size_t made_len = 0;

    answer->body = NULL;
    answer->body_len = 0;
    if (status == 200 && bytes_wanted(request, &answer->body_len)) {
        type = "application/octet-stream";
    } else if (status == 200 && (is_path(request, "/") || is_path(request, "/index.html"))) {
        type = "text/html; charset=utf-8\r\nCache-Control: no-cache";
        answer->body = page_html;
        answer->body_len = (uint64_t)(page_html_end - page_html);
    } else if (status == 200 && is_path(request, "/stats.json")) {
        type = "application/json\r\nCache-Control: no-store";
        made_len = stats_write(made, sizeof(made));
    } else {
        status = status == 200 ? 404 : status;
        made_len = (size_t)(PUT(PUT(made, status_text(status)), "\n") - made);
    }
    at = PUT(at, "HTTP/1.1 ");
    at = PUT(at, status_text(status));
    at = PUT(at, "\r\nDate: ");
    at = PUT(at, date);
    at = PUT(at, "\r\nContent-Type: ");
    at = PUT(at, type);
    at = PUT(at, "\r\nContent-Length: ");
    at = put_number(at, answer->body_len + made_len);
    if (last)
        at = PUT(at, "\r\nConnection: close");
    else if (request->v10)
        at = PUT(at, "\r\nConnection: keep-alive");
    if (status == 405)
        at = PUT(at, "\r\nAllow: GET, HEAD");
    at = PUT(at, "\r\n\r\n");
    if (request->head)
        answer->body_len = made_len = 0;
    at = put(at, made, made_len);
    answer->text_len = (size_t)(at - answer->text);
    return status;
}
