/* SPDX-License-Identifier: MIT
 *
 * The parts of the web server.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define REQUEST_MAX 4096

/* What a client wants. */
struct request {
    char path[256];
    bool head;       /* HEAD: no body */
    bool keep_alive; /* another request may follow */
};

/* Look at what came so far, which ends with NUL. The bytes that the request has when it is whole;
 * 0: more must come; or a negative status, -400 for example: answer that and close. */
int request_parse(struct request *request, const char *text, size_t len);

/* The body of an answer: text, or so many bytes of a pattern. */
struct answer {
    int status;
    const char *type;
    const char *body;
    uint64_t len;
    char text[1024]; /* room for a body made for this answer */
};
void answer_make(struct answer *answer, const struct request *request, int status);
const char *status_text(int status);

/* The page, and its figures as JSON: how many bytes. */
extern const char page[];
size_t stats_write(char *out, size_t size);
/* Counted by the server, shown by stats_write(). */
extern uint64_t http_requests, http_bytes;
extern unsigned int http_connections;

/* The pattern of /bytes/N: PATTERN_SIZE bytes, again and again. */
#define PATTERN_SIZE 65536
extern char pattern[PATTERN_SIZE];

/* One worker: serve the listening socket for ever. */
void *serve(void *listener);
