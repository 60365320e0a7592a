/* SPDX-License-Identifier: MIT
 *
 * The web server's parser of requests: what it takes, and what it answers to the rest.
 */
#include <stdlib.h>
#include "apps/http/request.h"
#include "tests/host/test.h"

static struct request request;

/* Of a copy that ends with its last byte, so that reading behind it is seen. The paths are lost. */
static int parse_bytes(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    int rc;

    memset(&request, 0xa5, sizeof(request));
    rc = request_parse(&request, memcpy(copy, text, len), len);
    if (rc > 0)
        request.path = text + (request.path - copy);
    free(copy);
    return rc;
}

static int parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void expect_path(const char *text, const char *path)
{
    CHECK_EQ(parse(text), strlen(text));
    CHECK_EQ(request.path_len, strlen(path));
    CHECK(request.path_len == strlen(path) && memcmp(request.path, path, strlen(path)) == 0);
}

TEST(get_and_head)
{
    expect_path("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "/");
    CHECK(!request.head && request.keep_alive && !request.v10);
    expect_path("HEAD /stats.json HTTP/1.0\r\n\r\n", "/stats.json");
    CHECK(request.head && !request.keep_alive && request.v10);
    expect_path("GET /a HTTP/1.7\r\nhOST:x\r\n\r\n", "/a"); /* minor versions are compatible */
    expect_path("GET /a HTTP/1.0\n\n", "/a");               /* bare newlines end lines, too */
    expect_path("\r\n\n\r\nGET /a HTTP/1.0\r\n\r\n", "/a");
}

TEST(what_is_asked_for)
{
    expect_path("GET /a?b=c HTTP/1.0\r\n\r\n", "/a");
    expect_path("GET /?/x HTTP/1.0\r\n\r\n", "/");
    expect_path("GET http://host:80/a/b?c HTTP/1.0\r\n\r\n", "/a/b");
    CHECK_EQ(parse("GET HTTP://host HTTP/1.0\r\n\r\n"), 28);
    CHECK_EQ(request.path_len, 1);
    CHECK_EQ(parse("GET host HTTP/1.0\r\n\r\n"), -400);
    CHECK_EQ(parse("GET * HTTP/1.0\r\n\r\n"), -400);
    CHECK_EQ(parse("GET  HTTP/1.0\r\n\r\n"), -400);
    CHECK_EQ(parse("GET /a b HTTP/1.0\r\n\r\n"), -400);
    CHECK_EQ(parse("GET /\x80 HTTP/1.0\r\n\r\n"), -400);
    CHECK_EQ(parse("GET\t/ HTTP/1.0\r\n\r\n"), -400);
    CHECK_EQ(parse_bytes("GET /\0 HTTP/1.0\r\n\r\n", 19), -400);
}

TEST(other_methods_and_versions)
{
    CHECK_EQ(parse("POST / HTTP/1.1\r\n"), -405); /* the rest need not come */
    CHECK_EQ(parse("get / HTTP/1.0\r\n\r\n"), -405);
    CHECK_EQ(parse("GETS / HTTP/1.0\r\n\r\n"), -405);
    CHECK_EQ(parse("G(T / HTTP/1.0\r\n\r\n"), -400);
    CHECK_EQ(parse(" GET / HTTP/1.0\r\n\r\n"), -400);
    CHECK_EQ(parse("GET /\r\n"), -400); /* HTTP/0.9 */
    CHECK_EQ(parse("GET / HTTP/2.0\r\n"), -505);
    CHECK_EQ(parse("GET / HTTP/0.9\r\n"), -505);
    CHECK_EQ(parse("GET / HTTP/1.10\r\n"), -400);
    CHECK_EQ(parse("GET / http/1.1\r\n"), -400);
    CHECK_EQ(parse("GET / HTTP/1.1 \r\n"), -400);
    CHECK_EQ(parse("\x16\x03\x01\x02\x01\n"), -400); /* somebody tries TLS */
}

TEST(headers)
{
    CHECK_EQ(parse("GET / HTTP/1.1\r\n\r\n"), -400); /* no Host */
    CHECK_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"), -400);
    CHECK_EQ(parse("GET / HTTP/1.0\r\nno colon\r\n\r\n"), -400);
    CHECK_EQ(parse("GET / HTTP/1.0\r\nname : x\r\n\r\n"), -400);
    CHECK_EQ(parse("GET / HTTP/1.0\r\n: x\r\n\r\n"), -400);
    CHECK_EQ(parse("GET / HTTP/1.0\r\na: b\r\n folded\r\n\r\n"), -400);
    CHECK_EQ(parse("GET / HTTP/1.0\r\na: b\rc\r\n\r\n"), -400);
    CHECK_GT(parse("GET / HTTP/1.0\r\na:\r\nb: \t \xe4\x80 c\t\r\n\r\n"), 0);
}

TEST(connection)
{
    parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n");
    CHECK(!request.keep_alive);
    parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade,\tclose , x\r\n\r\n");
    CHECK(!request.keep_alive);
    parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: closed, ,,\r\n\r\n");
    CHECK(request.keep_alive);
    parse("GET / HTTP/1.0\r\nconnection:keep-alive\r\n\r\n");
    CHECK(request.keep_alive);
}

TEST(bodies_are_not_taken)
{
    CHECK_GT(parse("GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n"), 0);
    CHECK_EQ(parse("GET / HTTP/1.0\r\nContent-Length: 5\r\n\r\n"), -413);
    CHECK_EQ(parse("GET / HTTP/1.0\r\nContent-Length: 99999999999999999999999\r\n\r\n"), -413);
    CHECK_EQ(parse("GET / HTTP/1.0\r\nContent-Length: -1\r\n\r\n"), -400);
    CHECK_EQ(parse("GET / HTTP/1.0\r\nContent-Length:\r\n\r\n"), -400);
    CHECK_EQ(parse("GET / HTTP/1.0\r\nContent-Length: 0, 0\r\n\r\n"), -400);
    CHECK_EQ(parse("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), -413);
}

/* `len` bytes: a beginning, and then always the same. */
static int parse_long(const char *begin, char fill, size_t len)
{
    char *text = malloc(len);
    int rc;

    memset(text, fill, len);
    memcpy(text, begin, strlen(begin));
    rc = parse_bytes(text, len);
    free(text);
    return rc;
}

TEST(what_is_too_long)
{
    char text[TARGET_MAX + 32];

    CHECK_EQ(parse_long("GET /", 'a', REQUEST_MAX - 1), 0);
    CHECK_EQ(parse_long("GET /", 'a', REQUEST_MAX), -414);
    CHECK_EQ(parse_long("", '\n', REQUEST_MAX), -414);
    CHECK_EQ(parse_long("GET / HTTP/1.0\r\nname: ", 'a', REQUEST_MAX - 1), 0);
    CHECK_EQ(parse_long("GET / HTTP/1.0\r\nname: ", 'a', REQUEST_MAX), -431);
    for (int more = 0; more < 2; more++) {
        snprintf(text, sizeof(text), "GET /%0*d HTTP/1.0\r\n\r\n", TARGET_MAX - 1 + more, 0);
        CHECK_EQ(parse(text), more ? -414 : (int)strlen(text));
    }
}

TEST(a_request_in_pieces)
{
    static const char text[] = "GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    static const char wrong[] = "GET /a HTTP/1.0\r\na b: c\r\n\r\n";

    for (size_t len = 0; len < strlen(text); len++)
        CHECK_EQ(parse_bytes(text, len), 0);
    CHECK_EQ(parse_bytes(text, sizeof(text)), strlen(text)); /* and what is behind it is not its */
    for (size_t len = 0; len < strlen(wrong); len++)
        CHECK_EQ(parse_bytes(wrong, len), len < 25 ? 0 : -400);
}
