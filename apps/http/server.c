/* SPDX-License-Identifier: MIT
 *
 * A worker of the web server: one thread with an epoll, and its connections.  A client has a
 * bounded buffer, a bounded time to say what it wants, and a bounded time between two bytes it
 * takes; when there are too many clients the one that has been idle longest goes.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "http.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/list.h"

#define CLIENTS_MAX     1024 /* of one worker */
#define PATIENCE_NS     (15 * NS_PER_S)
#define REQUEST_TIME_NS (30 * NS_PER_S)

struct client {
    int fd;
    struct list by_age; /* least recently active first */
    uint64_t active_ns;
    uint64_t began_ns; /* the request; 0: none has begun */
    size_t len;        /* bytes in `in` */
    bool busy;         /* an answer is being sent */
    bool last;         /* the connection ends with this answer */
    struct answer answer;
    char header[192];
    size_t header_len, header_sent;
    uint64_t body_sent, body_len;
    char in[REQUEST_MAX];
};

struct worker {
    int epoll, listener;
    struct list clients;
    unsigned int count;
};

static void client_close(struct worker *worker, struct client *client)
{
    list_remove(&client->by_age);
    worker->count--;
    (void)atomic_fetch_sub(&http_connections, 1);
    close(client->fd);
    free(client);
}

static void client_active(struct worker *worker, struct client *client)
{
    client->active_ns = time_now_ns();
    list_remove(&client->by_age);
    list_add_last(&worker->clients, &client->by_age);
}

static void listen_for(struct worker *worker, struct client *client, bool out)
{
    struct epoll_event event = { .events = out ? EPOLLOUT : EPOLLIN, .data.ptr = client };

    epoll_ctl(worker->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void begin_answer(struct client *client, const struct request *request, int status)
{
    struct answer *answer = &client->answer;

    answer_make(answer, request, status);
    client->last = status != 200 || !request->keep_alive;
    client->header_len = (size_t)snprintf(
        client->header, sizeof(client->header),
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\nConnection: %s\r\n%s\r\n",
        answer->status, status_text(answer->status), answer->type, (unsigned long long)answer->len,
        client->last ? "close" : "keep-alive", answer->status == 405 ? "Allow: GET, HEAD\r\n" : "");
    client->header_sent = 0;
    client->body_sent = 0;
    client->body_len = request->head && status == 200 ? 0 : answer->len;
    client->busy = true;
    client->began_ns = 0;
    (void)atomic_fetch_add(&http_requests, 1);
}

/* 1: all was sent; 0: it goes on when there is room; -1: the client is gone. */
static int send_answer(struct client *client)
{
    while (client->header_sent < client->header_len || client->body_sent < client->body_len) {
        uint64_t left = client->body_len - client->body_sent;
        size_t offset = client->answer.body ? client->body_sent : client->body_sent % PATTERN_SIZE;
        const char *body = client->answer.body ? client->answer.body : pattern;
        size_t len = client->answer.body ? left : MIN(left, PATTERN_SIZE - offset);
        size_t header_left = client->header_len - client->header_sent;
        struct iovec parts[2] = { { client->header + client->header_sent, header_left },
                                  { (char *)body + offset, len } };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
        ssize_t rc = sendmsg(client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (rc < 0)
            return errno == EAGAIN || errno == ENOBUFS ? 0 : -1;
        client->header_sent += MIN((size_t)rc, header_left);
        client->body_sent += (size_t)rc - MIN((size_t)rc, header_left);
    }
    client->busy = false;
    return client->last ? -1 : 1;
}

/* Answer the requests that are whole. 0: wait for more; 1: wait for room; -1: close. */
static int answer_all(struct client *client)
{
    struct request request = { .keep_alive = false };
    int rc;

    for (;;) {
        if (client->busy) {
            rc = send_answer(client);
            if (rc <= 0)
                return rc == 0 ? 1 : -1;
        }
        client->in[client->len] = '\0';
        rc = client->len ? request_parse(&request, client->in, client->len) : 0;
        if (rc == 0)
            return 0;
        if (rc > 0) {
            client->len -= (size_t)rc;
            memmove(client->in, client->in + rc, client->len);
        }
        begin_answer(client, &request, rc < 0 ? -rc : 200);
    }
}

static void client_event(struct worker *worker, struct client *client)
{
    bool was_busy = client->busy;
    ssize_t got;
    int rc = 0;

    if (!client->busy) {
        got =
            recv(client->fd, client->in + client->len, REQUEST_MAX - 1 - client->len, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            client_close(worker, client);
            return;
        }
        if (got > 0) {
            client->len += (size_t)got;
            if (!client->began_ns)
                client->began_ns = time_now_ns();
        }
    }
    rc = answer_all(client);
    if (rc < 0) {
        client_close(worker, client);
        return;
    }
    if (client->busy != was_busy)
        listen_for(worker, client, client->busy);
    client_active(worker, client);
}

static void client_new(struct worker *worker)
{
    int fd = accept4(worker->listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
    struct client *client;
    struct epoll_event event = { .events = EPOLLIN };

    if (fd < 0)
        return; /* another worker was quicker, or there is no memory now */
    if (worker->count == CLIENTS_MAX)
        client_close(worker, list_entry(worker->clients.next, struct client, by_age));
    client = malloc(sizeof(*client));
    event.data.ptr = client;
    if (!client || epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event)) {
        free(client);
        close(fd);
        return;
    }
    client->fd = fd;
    client->len = 0;
    client->busy = false;
    client->began_ns = 0;
    list_init(&client->by_age);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    client_active(worker, client);
    worker->count++;
    (void)atomic_fetch_add(&http_connections, 1);
}

/* Those who keep us waiting. */
static void close_slow(struct worker *worker)
{
    uint64_t now_ns = time_now_ns();
    struct list *it, *next;

    list_for_each_safe (it, next, &worker->clients) {
        struct client *client = list_entry(it, struct client, by_age);
        bool slow =
            client->began_ns && !client->busy && now_ns - client->began_ns > REQUEST_TIME_NS;

        if (slow || now_ns - client->active_ns > PATIENCE_NS)
            client_close(worker, client);
    }
}

void *serve(void *listener)
{
    struct worker worker = { .epoll = epoll_create1(0), .listener = (int)(long)listener };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL }, events[64];
    uint64_t looked_ns = time_now_ns();

    list_init(&worker.clients);
    epoll_ctl(worker.epoll, EPOLL_CTL_ADD, worker.listener, &event);
    for (;;) {
        int count = epoll_wait(worker.epoll, events, 64, worker.count ? 1000 : -1);

        for (int i = 0; i < count; i++)
            if (events[i].data.ptr)
                client_event(&worker, events[i].data.ptr);
        for (int i = 0; i < count; i++) /* last: it may close one of those above */
            if (!events[i].data.ptr)
                client_new(&worker);
        if (worker.count && time_now_ns() - looked_ns > NS_PER_S) {
            looked_ns = time_now_ns();
            close_slow(&worker);
        }
    }
    return NULL;
}
