/* SPDX-License-Identifier: MIT
 *
 * The parts of the web server.  A worker is a thread with an epoll and its clients; nothing of a
 * worker is touched by another one, but what is counted.
 */
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "request.h"

/* --- answer.c: what is answered --- */

#define ANSWER_TEXT_MAX 4096
#define DATE_MAX        32

struct answer {
    char text[512 + ANSWER_TEXT_MAX]; /* the header, and a body made for this answer behind it */
    size_t text_len;
    const char *body; /* one that is there already, behind the text; NULL: bytes_pattern */
    uint64_t body_len;
};

/* `date`: as RFC 9110 wants it. Returns the status, which is another one when there is no such
 * path. */
int answer_make(struct answer *answer, const struct request *request, int status, bool last,
                const char *date);
void answer_date(char date[DATE_MAX]);

/* What /bytes/N consists of, again and again. */
#define PATTERN_SIZE 4096
extern const char bytes_pattern[];

/* --- client.c: a connection --- */

/* What a client is doing; in each it may be for so long only. */
enum phase {
    PHASE_IDLE,    /* it may ask for something */
    PHASE_ASKING,  /* it has begun to */
    PHASE_TAKING,  /* an answer is on its way; the time is that of 64 KiB */
    PHASE_LEAVING, /* it got the last one */
    PHASES
};

struct client {
    TAILQ_ENTRY(client) link; /* with those of its phase, who has been there longest first */
    enum phase phase;
    int fd;
    uint64_t deadline_ns;
    char *asked; /* what came of requests that are not answered; NULL: nothing */
    size_t asked_len;
    char *text; /* what is left of an answer: text, then a body; NULL: no text */
    size_t text_len, text_sent;
    const char *body;
    uint64_t body_len, body_sent;
    uint64_t taken; /* bytes since it got its time */
    bool last;      /* the connection ends with this answer */
};

struct worker {
    int listener, epoll;
    unsigned int clients_max;
    TAILQ_HEAD(clients, client) phases[PHASES];
    uint64_t now_ns;
    char date[DATE_MAX];
    char in[REQUEST_MAX];
    struct answer answer;
    _Alignas(64) atomic_uint clients; /* read by others, as the rest */
    atomic_ullong requests;
};

/* Something came, or there is room to send. False: it is over with this client. */
bool client_event(struct worker *worker, struct client *client);
/* It took too long to ask: tell it. False: it is over. */
bool client_too_slow(struct worker *worker, struct client *client);

/* --- server.c: workers --- */

/* Its time in this phase begins. */
void client_enter(struct worker *worker, struct client *client, enum phase phase);
/* Workers on all vCPUs serve the listening socket. Returns only when there is no memory. */
void serve(int listener);
