/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the web server's parser of requests: any bytes, in one piece and in two.
 */
#include <stdlib.h>
#include <string.h>
#include "apps/http/request.h"
#include "tests/fuzz/guest.h"

void other_end_notified(void)
{
}

bool other_end_turn(void)
{
    return false;
}

/* Of a copy that ends with its last byte. */
static int parse(const uint8_t *data, size_t len)
{
    struct request request;
    char *text = malloc(len ? len : 1);
    int rc = request_parse(&request, memcpy(text, data, len), len);

    MUST(rc <= (int)len);
    MUST(rc >= 0 || rc == -400 || rc == -405 || rc == -413 || rc == -414 || rc == -431 ||
         rc == -505);
    if (rc > 0) {
        MUST(request.path_len > 0 && request.path_len <= TARGET_MAX && request.path[0] == '/');
        MUST(!memchr(request.path, '?', request.path_len));
        MUST(!memchr(request.path, '\n', request.path_len));
        MUST(request.path_len == 1 ||
             (request.path >= text && request.path + request.path_len <= text + rc));
    }
    free(text);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first = size ? data[0] * size / 255 : 0;
    int whole = parse(data, size), part = parse(data, first);

    /* What was clear stays so; what is clear later does not depend on how it came. */
    MUST(part == 0 || part == whole);
    if (whole > 0)
        MUST(parse(data, (size_t)whole) == whole && parse(data, (size_t)whole - 1) == 0);
    return 0;
}
