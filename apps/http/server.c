/* SPDX-License-Identifier: MIT
 *
 * Workers: one for each vCPU, a thread with an epoll and its own clients.  All have the listening
 * socket in their epoll, and whoever is free takes the next connection.  There are limits to how
 * many clients there are and how long each may take for what it does; those of a phase all have the
 * same time, so the first in line is the next one whose time is up.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "http.h"
#include "stats.h"

#define CLIENTS_MAX   1000       /* of all workers */
#define CLIENT_MEMORY (8 * 1024) /* each is to have so much: a small domain has fewer */
#define EVENTS_MAX    64
#define NS_PER_S      1000000000ULL

static const uint64_t limit_ns[PHASES] = {
    [PHASE_IDLE] = 30 * NS_PER_S,
    [PHASE_ASKING] = 10 * NS_PER_S,
    [PHASE_TAKING] = 20 * NS_PER_S,
    [PHASE_LEAVING] = 60 * NS_PER_S,
};

static struct worker **workers; /* NULL: none yet */
static unsigned int nr_workers;

void client_enter(struct worker *worker, struct client *client, enum phase phase)
{
    TAILQ_REMOVE(&worker->phases[client->phase], client, link);
    client->phase = phase;
    client->deadline_ns = worker->now_ns + limit_ns[phase];
    TAILQ_INSERT_TAIL(&worker->phases[phase], client, link);
}

static void client_end(struct worker *worker, struct client *client)
{
    static const struct linger at_once = { .l_onoff = 1 };

    /* It had its time, so what it did not take is not sent. */
    if (client->phase == PHASE_TAKING ||
        (client->phase == PHASE_LEAVING && client->deadline_ns <= worker->now_ns))
        setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(client->fd);
    TAILQ_REMOVE(&worker->phases[client->phase], client, link);
    atomic_fetch_sub_explicit(&worker->clients, 1, memory_order_relaxed);
    if (client->text != worker->answer.text)
        free(client->text);
    free(client->asked);
    free(client);
}

/* Somebody has to go: who has been doing nothing, or asking, for the longest time. */
static void make_room(struct worker *worker)
{
    struct client *victim = NULL;
    uint64_t since_ns = UINT64_MAX;

    for (int phase = 0; phase < PHASES; phase++) {
        struct client *first = TAILQ_FIRST(&worker->phases[phase]);

        if (first && first->deadline_ns - limit_ns[phase] < since_ns) {
            victim = first;
            since_ns = first->deadline_ns - limit_ns[phase];
        }
    }
    if (victim)
        client_end(worker, victim);
}

static void client_new(struct worker *worker)
{
    int fd = accept4(worker->listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
    struct epoll_event event = { .events = EPOLLIN };
    struct client *client;

    if (fd < 0 && errno == EAGAIN)
        return; /* another worker was quicker */
    if (fd < 0 || atomic_load(&worker->clients) >= worker->clients_max)
        make_room(worker);
    client = fd < 0 ? NULL : calloc(1, sizeof(*client));
    event.data.ptr = client;
    if (!client || epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event)) {
        free(client);
        if (fd >= 0)
            close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    client->fd = fd;
    client->phase = PHASE_IDLE;
    TAILQ_INSERT_TAIL(&worker->phases[PHASE_IDLE], client, link);
    client_enter(worker, client, PHASE_IDLE);
    atomic_fetch_add_explicit(&worker->clients, 1, memory_order_relaxed);
}

static void look_at_clock(struct worker *worker)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    worker->now_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void end_slow(struct worker *worker)
{
    for (int phase = 0; phase < PHASES; phase++) {
        struct client *client;

        while ((client = TAILQ_FIRST(&worker->phases[phase])) &&
               client->deadline_ns <= worker->now_ns)
            if (phase != PHASE_ASKING || !client_too_slow(worker, client))
                client_end(worker, client);
    }
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct epoll_event events[EVENTS_MAX];
    uint64_t next_ns = 0;

    for (;;) {
        int timeout_ms = atomic_load(&worker->clients) ? 1000 : -1;
        int count = epoll_wait(worker->epoll, events, EVENTS_MAX, timeout_ms);
        bool knocks = false;

        look_at_clock(worker);
        if (worker->now_ns >= next_ns) {
            next_ns = worker->now_ns + NS_PER_S;
            answer_date(worker->date);
        }
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;

            knocks |= !client;
            if (client && !client_event(worker, client))
                client_end(worker, client);
        }
        end_slow(worker);
        if (knocks) /* last: it may end one of those above */
            client_new(worker);
    }
    return NULL;
}

static struct worker *worker_new(int listener, unsigned int clients_max)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    struct worker *worker = calloc(1, sizeof(*worker));

    if (!worker)
        return NULL;
    for (int phase = 0; phase < PHASES; phase++)
        TAILQ_INIT(&worker->phases[phase]);
    worker->listener = listener;
    worker->clients_max = clients_max;
    worker->epoll = epoll_create1(0);
    if (worker->epoll < 0 || epoll_ctl(worker->epoll, EPOLL_CTL_ADD, listener, &event)) {
        free(worker);
        return NULL;
    }
    return worker;
}

/* False: no memory for it; the others do without. */
static bool worker_start(int listener, unsigned int clients_max)
{
    struct worker *worker = worker_new(listener, clients_max);
    pthread_t thread;

    if (!worker)
        return false;
    workers[nr_workers] = worker;
    if (pthread_create(&thread, NULL, work, worker)) {
        free(worker);
        return false;
    }
    pthread_detach(thread);
    nr_workers++;
    return true;
}

void serve(int listener)
{
    uint64_t memory = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    unsigned int wanted = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), most = CLIENTS_MAX;
    struct worker *own;

    if (memory / CLIENT_MEMORY < most)
        most = (unsigned int)(memory / CLIENT_MEMORY);
    workers = calloc(wanted, sizeof(*workers));
    own = workers ? worker_new(listener, most / wanted + 1) : NULL;
    if (!own)
        return;
    workers[nr_workers++] = own;
    while (nr_workers < wanted && worker_start(listener, most / wanted + 1))
        ;
    work(own);
}

void serve_count(unsigned int *clients, uint64_t *requests)
{
    *clients = 0;
    *requests = 0;
    for (unsigned int i = 0; i < nr_workers; i++) {
        *clients += atomic_load(&workers[i]->clients);
        *requests += atomic_load(&workers[i]->requests);
    }
}
