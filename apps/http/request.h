/* SPDX-License-Identifier: MIT
 *
 * Requests of HTTP/1.0 and 1.1, as far as a server needs them that only gives: RFC 9112.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define REQUEST_MAX 8192 /* bytes of a request, line and headers */
#define TARGET_MAX  2048 /* bytes of what it asks for */

/* What a client wants. */
struct request {
    const char *path; /* in the text, not terminated; without what follows a "?" */
    size_t path_len;
    bool head;       /* HEAD: no body */
    bool v10;        /* HTTP/1.0 */
    bool keep_alive; /* another request may follow */
};

/* Look at the `len` bytes that came so far; they need not end with anything. How many of them the
 * request has when it is whole; 0: more must come; or a negative status, -400 for example: answer
 * that and close. */
int request_parse(struct request *request, const char *text, size_t len);
