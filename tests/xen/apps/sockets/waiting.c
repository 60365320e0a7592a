/* SPDX-License-Identifier: MIT
 *
 * Threads that wait for sockets: poll, select, epoll, close, cancellation, signals.
 */
#include <sys/epoll.h>
#include <sys/select.h>
#include "sockets.h"

TEST(poll_tells_what_is_ready)
{
    struct pollfd fds[4];
    int pair[2];
    char byte;

    if (!connection(AF_INET, pair))
        return;
    fds[0] = (struct pollfd){ pair[0], POLLIN | POLLOUT, 0 };
    fds[1] = (struct pollfd){ pair[1], POLLIN, 0 };
    fds[2] = (struct pollfd){ -1, POLLIN, 0 };
    fds[3] = (struct pollfd){ 99, POLLIN, 0 };
    CHECK_EQ(poll(fds, 3, 0), 1);
    CHECK_EQ(fds[0].revents, POLLOUT);
    CHECK_EQ(poll(fds, 4, 0), 2);
    CHECK_EQ(fds[3].revents, POLLNVAL);
    CHECK_EQ(poll(&fds[1], 1, 20), 0);
    CHECK_EQ(write(pair[0], "x", 1), 1);
    CHECK_EQ(poll(&fds[1], 1, -1), 1);
    CHECK_EQ(fds[1].revents, POLLIN);
    CHECK_EQ(read(pair[1], &byte, 1), 1);
    CHECK_EQ(poll(&fds[1], 1, 0), 0);
    close(pair[0]);
    CHECK_EQ(poll(&fds[1], 1, 1000), 1);
    CHECK(fds[1].revents & POLLIN);
    close(pair[1]);
}

static void *write_later(void *arg)
{
    test_sleep_ms(30);
    CHECK_EQ(write(*(int *)arg, "x", 1), 1);
    return NULL;
}

TEST(poll_and_select_wake_up)
{
    struct timeval timeout = { 5, 0 };
    pthread_t thread;
    fd_set in, out;
    int pair[2];
    char byte;

    if (!connection(AF_INET, pair))
        return;
    REQUIRE_EQ(pthread_create(&thread, NULL, write_later, &pair[0]), 0);
    CHECK_EQ(poll(&(struct pollfd){ pair[1], POLLIN, 0 }, 1, 5000), 1);
    pthread_join(thread, NULL);
    CHECK_EQ(read(pair[1], &byte, 1), 1);
    REQUIRE_EQ(pthread_create(&thread, NULL, write_later, &pair[0]), 0);
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(pair[1], &in);
    CHECK_EQ(select(pair[1] + 1, &in, &out, NULL, &timeout), 1);
    CHECK(FD_ISSET(pair[1], &in));
    pthread_join(thread, NULL);
    FD_SET(pair[0], &out);
    CHECK_EQ(select(FD_SETSIZE, &in, &out, NULL, NULL), 2);
    CHECK_EQ(read(pair[1], &byte, 1), 1);
    FD_SET(pair[1], &in);
    timeout = (struct timeval){ 0, 20000 };
    CHECK_EQ(select(pair[1] + 1, &in, NULL, NULL, &timeout), 0);
    CHECK(!FD_ISSET(pair[1], &in));
    FD_SET(200, &in);
    CHECK_FAILS(select(201, &in, NULL, NULL, &timeout), EBADF);
    close(pair[0]);
    close(pair[1]);
}

TEST(epoll_levels_edges_and_ends)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = 7 }, got[4];
    int epoll = epoll_create1(0), pair[2];
    pthread_t thread;
    char byte;

    REQUIRE(epoll >= 0);
    if (!connection(AF_INET, pair))
        return;
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[1], &event), 0);
    CHECK_FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[1], &event), EEXIST);
    CHECK_FAILS(epoll_ctl(epoll, EPOLL_CTL_MOD, pair[0], &event), ENOENT);
    CHECK_FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event), EPERM);
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, write_later, &pair[0]), 0);
    CHECK_EQ(epoll_wait(epoll, got, 4, 5000), 1);
    CHECK_EQ(got[0].data.u32, 7);
    CHECK_EQ(got[0].events, EPOLLIN);
    pthread_join(thread, NULL);
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 1); /* level */
    event.events = EPOLLIN | EPOLLET;
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_MOD, pair[1], &event), 0);
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 1);
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0); /* edge: it was told */
    CHECK_EQ(write(pair[0], "y", 1), 1);
    CHECK_EQ(epoll_wait(epoll, got, 4, 1000), 1);
    CHECK_EQ(read(pair[1], &byte, 1), 1);
    event.events = EPOLLIN | EPOLLRDHUP;
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_MOD, pair[1], &event), 0);
    close(pair[0]);
    test_sleep_ms(5);
    CHECK_EQ(epoll_wait(epoll, got, 4, 1000), 1);
    CHECK_EQ(got[0].events, EPOLLIN | EPOLLRDHUP);
    close(pair[1]); /* its interest goes with it */
    CHECK_EQ(epoll_wait(epoll, got, 4, 0), 0);
    if (connection(AF_INET, pair)) {
        CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[1], &event), 0);
        close(epoll); /* and interests with their epoll */
        CHECK_EQ(write(pair[0], "z", 1), 1);
        close(pair[0]);
        close(pair[1]);
    }
}

struct waiter {
    int fd;
    bool accepts;
    int result, error;
};

static void *wait_on(void *arg)
{
    struct waiter *waiter = arg;
    char byte;

    waiter->result =
        waiter->accepts ? accept(waiter->fd, NULL, NULL) : (int)recv(waiter->fd, &byte, 1, 0);
    waiter->error = errno;
    return NULL;
}

TEST(close_ends_the_wait_of_another_thread)
{
    struct sockaddr_storage address;
    socklen_t len;
    int pair[2];
    struct waiter accepting = { .accepts = true }, reading = { .accepts = false };
    pthread_t one, two;

    if (!connection(AF_INET, pair))
        return;
    accepting.fd = listening(AF_INET, 1, &address, &len);
    reading.fd = pair[1];
    REQUIRE_EQ(pthread_create(&one, NULL, wait_on, &accepting), 0);
    REQUIRE_EQ(pthread_create(&two, NULL, wait_on, &reading), 0);
    test_sleep_ms(30);
    close(accepting.fd);
    close(pair[1]);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    CHECK_EQ(accepting.result, -1);
    CHECK_EQ(accepting.error, EBADF);
    CHECK_EQ(reading.result, -1);
    CHECK_EQ(reading.error, EBADF);
    close(pair[0]);
}

TEST(cancellation_ends_a_wait)
{
    int pair[2];
    struct waiter reading = { .accepts = false };
    pthread_t thread;
    void *result;
    char byte;

    if (!connection(AF_INET, pair))
        return;
    reading.fd = pair[1];
    REQUIRE_EQ(pthread_create(&thread, NULL, wait_on, &reading), 0);
    test_sleep_ms(20);
    CHECK_EQ(pthread_cancel(thread), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK_EQ(write(pair[0], "x", 1), 1); /* nothing is held */
    CHECK_EQ(read(pair[1], &byte, 1), 1);
    close(pair[0]);
    close(pair[1]);
}

static void nothing(int signal)
{
    (void)signal;
}

TEST(signals_end_a_wait_unless_they_restart_it)
{
    struct sigaction action = { .sa_handler = nothing };
    struct waiter reading = { .accepts = false };
    pthread_t thread;
    int pair[2];

    if (!connection(AF_INET, pair))
        return;
    sigaction(SIGUSR1, &action, NULL);
    reading.fd = pair[1];
    REQUIRE_EQ(pthread_create(&thread, NULL, wait_on, &reading), 0);
    test_sleep_ms(20);
    CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(reading.result, -1);
    CHECK_EQ(reading.error, EINTR);
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, NULL);
    REQUIRE_EQ(pthread_create(&thread, NULL, wait_on, &reading), 0);
    test_sleep_ms(20);
    CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
    test_sleep_ms(20);
    CHECK_EQ(write(pair[0], "x", 1), 1);
    pthread_join(thread, NULL);
    CHECK_EQ(reading.result, 1);
    close(pair[0]);
    close(pair[1]);
}
