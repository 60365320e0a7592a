/* SPDX-License-Identifier: MIT
 *
 * Many connections, and many threads at once.
 */
#include <sys/epoll.h>
#include "mm/page.h"
#include "sockets.h"

#define MANY 1000

TEST(many_thousand_connections_at_once)
{
    static int clients[MANY], servers[MANY];
    struct sockaddr_storage address;
    struct epoll_event event = { .events = EPOLLIN }, got[64];
    socklen_t len;
    int listener = listening(AF_INET, SOMAXCONN, &address, &len), epoll = epoll_create1(0);
    int made = 0, answered = 0, round;
    char byte;

    REQUIRE(listener >= 0 && epoll >= 0);
    for (; made < MANY; made++) {
        clients[made] = socket(AF_INET, SOCK_STREAM, 0);
        if (!CHECK_EQ(connect(clients[made], (struct sockaddr *)&address, len), 0))
            break;
        servers[made] = accept(listener, NULL, NULL);
        if (!CHECK(servers[made] >= 0))
            break;
        event.data.fd = servers[made];
        CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, servers[made], &event), 0);
    }
    CHECK_EQ(made, MANY);
    for (int i = 0; i < made; i++)
        CHECK_EQ(send(clients[i], &(char){ (char)i }, 1, 0), 1);
    for (round = 0; answered < made && round < 10 * MANY; round++) {
        int count = epoll_wait(epoll, got, 64, 1000);

        for (int i = 0; i < count; i++) {
            CHECK_EQ(recv(got[i].data.fd, &byte, 1, 0), 1);
            CHECK_EQ(send(got[i].data.fd, &byte, 1, 0), 1);
            answered++;
        }
        if (count <= 0)
            break;
    }
    CHECK_EQ(answered, made);
    for (int i = 0; i < made; i++) {
        CHECK_EQ(recv(clients[i], &byte, 1, 0), 1);
        CHECK_EQ(byte, (char)i);
    }
    for (int i = 0; i < made; i++) {
        close(clients[i]);
        close(servers[i]);
    }
    close(listener);
    close(epoll);
}

#define THREADS 8
#define ROUNDS  300

static struct sockaddr_storage server_address;
static socklen_t server_len;
static unsigned int rounds_done;

static void *serve(void *arg)
{
    int fd = (int)(long)arg;
    char bytes[512];
    ssize_t len;

    while ((len = recv(fd, bytes, sizeof(bytes), 0)) > 0)
        CHECK_EQ(send(fd, bytes, (size_t)len, 0), len);
    close(fd);
    return NULL;
}

static void *ask(void *arg)
{
    char out[512], in[512];

    memset(out, (int)(long)arg, sizeof(out));
    for (int connections = 0; connections < 3; connections++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (!CHECK_EQ(connect(fd, (struct sockaddr *)&server_address, server_len), 0))
            return NULL;
        for (int i = 0; i < ROUNDS / 3; i++) {
            size_t len = 1 + (size_t)(i * 37 + (long)arg) % sizeof(out);

            CHECK_EQ(send(fd, out, len, 0), len);
            if (!CHECK_EQ(recv(fd, in, len, MSG_WAITALL), len) ||
                !CHECK_EQ(memcmp(in, out, len), 0))
                break;
            (void)atomic_fetch_add(&rounds_done, 1);
        }
        close(fd);
    }
    return NULL;
}

TEST(many_threads_ask_and_answer)
{
    pthread_t askers[THREADS], servers[3 * THREADS];
    int listener = listening(AF_INET, 16, &server_address, &server_len);

    REQUIRE(listener >= 0);
    REQUIRE_THREADS(4 * THREADS);
    rounds_done = 0;
    for (long i = 0; i < THREADS; i++)
        REQUIRE_EQ(pthread_create(&askers[i], NULL, ask, (void *)i), 0);
    for (int i = 0; i < 3 * THREADS; i++) {
        int fd = accept(listener, NULL, NULL);

        REQUIRE(fd >= 0);
        REQUIRE_EQ(pthread_create(&servers[i], NULL, serve, (void *)(long)fd), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(askers[i], NULL);
    for (int i = 0; i < 3 * THREADS; i++)
        pthread_join(servers[i], NULL);
    CHECK_EQ(rounds_done, THREADS * (ROUNDS / 3) * 3);
    close(listener);
}

static void *open_and_close(void *arg)
{
    (void)arg;
    for (int i = 0; i < 200; i++) {
        int fd = socket(AF_INET, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0);

        CHECK(fd >= 0);
        if (i % 2 && i % 3 == 0)
            CHECK_EQ(connect(fd, (struct sockaddr *)&server_address, server_len), 0);
        CHECK_EQ(close(fd), 0);
    }
    return NULL;
}

TEST(many_threads_open_and_close)
{
    int listener = listening(AF_INET, SOMAXCONN, &server_address, &server_len), fd;
    struct page_stats before, after;
    pthread_t threads[4];

    REQUIRE(listener >= 0);
    for (int round = 0; round < 2; round++) { /* what the first takes is taken for good */
        page_get_stats(&before);
        for (int i = 0; i < 4; i++)
            REQUIRE_EQ(pthread_create(&threads[i], NULL, open_and_close, NULL), 0);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        CHECK_EQ(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
        while ((fd = accept(listener, NULL, NULL)) >= 0)
            close(fd);
        page_get_stats(&after);
    }
    CHECK(before.free <= after.free + 64);
    close(listener);
}
