/* SPDX-License-Identifier: MIT
 *
 * A connection: what comes is cut into requests, each is answered in its turn.  While it waits a
 * client costs a few hundred bytes: requests are read into its worker's memory, and only what is
 * incomplete there, or finds no room in the socket, is kept for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "http.h"

#define PARTS_MAX  17          /* of one sendmsg(): 64 KiB and a header */
#define TAKEN_MIN  65536       /* so much is to be taken in the time of PHASE_TAKING */
#define SMALL_BODY (16 * 1024) /* what is on its way may be forgotten about */

static void wait_for(struct worker *worker, struct client *client, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = client };

    epoll_ctl(worker->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

/* What comes next of the answer, as far as one call goes. How many parts. */
static int next_parts(const struct client *client, struct iovec parts[PARTS_MAX])
{
    uint64_t at = client->body_sent, left = client->body_len - at;
    int count = 0;

    if (client->text_sent < client->text_len)
        parts[count++] = (struct iovec){ client->text + client->text_sent,
                                         client->text_len - client->text_sent };
    if (left && client->body) {
        parts[count++] = (struct iovec){ (char *)client->body + at, left };
        return count;
    }
    while (left && count < PARTS_MAX) {
        uint64_t offset = at % PATTERN_SIZE, room = PATTERN_SIZE - offset;
        size_t len = left < room ? left : room;

        parts[count++] = (struct iovec){ (char *)bytes_pattern + offset, len };
        at += len;
        left -= len;
    }
    return count;
}

enum sent { SENT_ALL, SENT_SOME, SENT_IN_VAIN };

/* As much of the answer as there is room for. */
static enum sent send_answer(struct worker *worker, struct client *client)
{
    while (client->text_sent < client->text_len || client->body_sent < client->body_len) {
        size_t text_left = client->text_len - client->text_sent;
        struct iovec parts[PARTS_MAX];
        struct msghdr message = { .msg_iov = parts };
        ssize_t sent;

        message.msg_iovlen = (size_t)next_parts(client, parts);
        sent = sendmsg(client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return errno == EAGAIN || errno == ENOBUFS ? SENT_SOME : SENT_IN_VAIN;
        client->taken += (uint64_t)sent;
        text_left = (size_t)sent < text_left ? (size_t)sent : text_left;
        client->text_sent += text_left;
        client->body_sent += (uint64_t)sent - text_left;
    }
    if (client->text != worker->answer.text)
        free(client->text);
    client->text = NULL;
    client->text_len = client->text_sent = 0;
    return SENT_ALL;
}

/* Keep a copy of what is in the worker's memory. False: no memory. */
static bool keep(char **kept, size_t *kept_len, const char *text, size_t len)
{
    char *copy = len ? malloc(len) : NULL;

    if (len && !copy)
        return false;
    free(*kept);
    *kept = memcpy(copy, text, len);
    *kept_len = len;
    return true;
}

/* The answer waits for room. False: no memory. */
static bool keep_answer(struct worker *worker, struct client *client)
{
    if (client->text == worker->answer.text) {
        const char *text = client->text + client->text_sent;

        client->text = NULL;
        if (!keep(&client->text, &client->text_len, text, client->text_len - client->text_sent))
            return false;
        client->text_sent = 0;
    }
    client->taken = 0;
    client_enter(worker, client, PHASE_TAKING);
    wait_for(worker, client, EPOLLOUT);
    return true;
}

/* The last answer is on its way: say so, and wait for the client to go.  To close at once would
 * take back what is not there yet if there is something unread; and nobody would watch over what
 * is not taken. */
static bool leave(struct worker *worker, struct client *client, bool all_read)
{
    if (all_read && client->body_len <= SMALL_BODY)
        return false;
    shutdown(client->fd, SHUT_WR);
    client_enter(worker, client, PHASE_LEAVING);
    wait_for(worker, client, EPOLLIN | EPOLLET);
    return true;
}

/* What it still says is of no interest. It may say goodbye before it has taken everything; the
 * connection has no peer any more when it has. */
static bool client_leaves(struct worker *worker, struct client *client)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    ssize_t got;

    do
        got = recv(client->fd, worker->in, REQUEST_MAX, MSG_DONTWAIT);
    while (got > 0);
    if (got < 0)
        return errno == EAGAIN;
    return getpeername(client->fd, (struct sockaddr *)&peer, &len) == 0;
}

static void begin_answer(struct worker *worker, struct client *client,
                         const struct request *request, int status)
{
    struct answer *answer = &worker->answer;

    client->last = status != 200 || !request->keep_alive;
    answer_make(answer, request, status, client->last, worker->date);
    client->text = answer->text;
    client->text_len = answer->text_len;
    client->body = answer->body;
    client->body_len = answer->body_len;
    client->body_sent = 0;
    atomic_fetch_add_explicit(&worker->requests, 1, memory_order_relaxed);
}

/* The requests in the worker's memory, the first `len` bytes. */
static bool answer_all(struct worker *worker, struct client *client, size_t len)
{
    const char *text = worker->in;
    bool answered = false;

    for (;;) {
        struct request request = { .keep_alive = false };
        int used = request_parse(&request, text, len);

        if (used == 0)
            break;
        begin_answer(worker, client, &request, used < 0 ? -used : 200);
        answered = true;
        text += used > 0 ? used : 0;
        len -= used > 0 ? (size_t)used : 0;
        switch (send_answer(worker, client)) {
        case SENT_ALL:
            if (client->last)
                return leave(worker, client, len == 0);
            continue;
        case SENT_SOME:
            return keep(&client->asked, &client->asked_len, text, len) &&
                   keep_answer(worker, client);
        default:
            return false;
        }
    }
    if (!keep(&client->asked, &client->asked_len, text, len))
        return false;
    /* Who has begun to ask gets no more time with each byte. */
    if (answered || client->phase != PHASE_ASKING)
        client_enter(worker, client, len ? PHASE_ASKING : PHASE_IDLE);
    return true;
}

static size_t take_asked(struct worker *worker, struct client *client)
{
    size_t len = client->asked_len;

    memcpy(worker->in, client->asked, len);
    return len;
}

static bool client_asks(struct worker *worker, struct client *client)
{
    size_t len = take_asked(worker, client);
    ssize_t got = recv(client->fd, worker->in + len, REQUEST_MAX - len, MSG_DONTWAIT);

    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    return answer_all(worker, client, len + (size_t)got);
}

static bool client_takes(struct worker *worker, struct client *client)
{
    switch (send_answer(worker, client)) {
    case SENT_ALL:
        if (client->last)
            return leave(worker, client, client->asked_len == 0);
        wait_for(worker, client, EPOLLIN);
        return answer_all(worker, client, take_asked(worker, client));
    case SENT_SOME:
        if (client->taken >= TAKEN_MIN) {
            client->taken = 0;
            client_enter(worker, client, PHASE_TAKING);
        }
        return true;
    default:
        return false;
    }
}

bool client_event(struct worker *worker, struct client *client)
{
    if (client->phase == PHASE_TAKING)
        return client_takes(worker, client);
    if (client->phase == PHASE_LEAVING)
        return client_leaves(worker, client);
    return client_asks(worker, client);
}

bool client_too_slow(struct worker *worker, struct client *client)
{
    struct request nothing = { .keep_alive = false };

    begin_answer(worker, client, &nothing, 408);
    return send_answer(worker, client) == SENT_ALL && leave(worker, client, false);
}
