/* SPDX-License-Identifier: MIT
 *
 * Datagrams over UDP, multicast, raw sockets.
 */
#include <net/if.h>
#include <sys/ioctl.h>
#include "sockets.h"

static void there_and_back(int family)
{
    struct sockaddr_storage address, from;
    socklen_t len, from_len = sizeof(from);
    int server = bound(family, SOCK_DGRAM, &address, &len), count;
    int client = socket(family, SOCK_DGRAM, 0);
    static char bytes[9000];
    char text[16];

    REQUIRE(server >= 0 && client >= 0);
    CHECK_FAILS(send(client, "x", 1, 0), EDESTADDRREQ);
    CHECK_EQ(sendto(client, "one", 3, 0, (struct sockaddr *)&address, len), 3);
    CHECK_EQ(sendto(client, "second", 6, 0, (struct sockaddr *)&address, len), 6);
    CHECK_EQ(sendto(client, "", 0, 0, (struct sockaddr *)&address, len), 0);
    CHECK_EQ(ioctl(server, FIONREAD, &count), 0);
    CHECK_EQ(count, 3);
    CHECK_EQ(recv(server, text, sizeof(text), MSG_PEEK), 3);
    CHECK_EQ(recvfrom(server, text, sizeof(text), 0, (struct sockaddr *)&from, &from_len), 3);
    CHECK_EQ(memcmp(text, "one", 3), 0);
    CHECK_EQ(recv(server, text, 2, MSG_TRUNC), 6);
    CHECK_EQ(recv(server, text, sizeof(text), 0), 0);
    CHECK_FAILS(recv(server, text, sizeof(text), MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(connect(server, (struct sockaddr *)&from, from_len), 0);
    CHECK_EQ(write(server, "back", 4), 4);
    CHECK_EQ(read(client, text, sizeof(text)), 4);
    memset(bytes, 'z', sizeof(bytes));
    CHECK_EQ(send(server, bytes, sizeof(bytes), 0), sizeof(bytes));
    memset(bytes, 0, sizeof(bytes));
    CHECK_EQ(recv(client, bytes, sizeof(bytes), 0), sizeof(bytes));
    CHECK_EQ(bytes[8999], 'z');
    CHECK_FAILS(send(server, bytes, 70000, 0), EMSGSIZE);
    close(server);
    close(client);
}

TEST(udp_v4)
{
    there_and_back(AF_INET);
}

TEST(udp_v6)
{
    there_and_back(AF_INET6);
}

TEST(udp_too_many_are_dropped)
{
    struct sockaddr_storage address;
    socklen_t len;
    int fd = bound(AF_INET, SOCK_DGRAM, &address, &len), limit = 8192, got = 0;
    char bytes[1000] = "";

    REQUIRE(fd >= 0);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &limit, sizeof(limit)), 0);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&address, len), 1000);
    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        got++;
    CHECK(got >= 4 && got < 20);
    close(fd);
}

TEST(udp_messages_and_where_they_went)
{
    struct sockaddr_storage address, from;
    socklen_t len;
    int fd = bound(AF_INET, SOCK_DGRAM, &address, &len), on = 1;
    char one[4], two[4], control[CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct iovec out[2] = { { "abcd", 4 }, { "ef", 2 } }, in[2] = { { one, 4 }, { two, 4 } };
    struct msghdr message = { &address, len, out, 2, NULL, 0, 0 };
    struct in_pktinfo *info;

    REQUIRE(fd >= 0);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), 0);
    CHECK_EQ(sendmsg(fd, &message, 0), 6);
    message = (struct msghdr){ &from, sizeof(from), in, 2, control, sizeof(control), 0 };
    CHECK_EQ(recvmsg(fd, &message, 0), 6);
    CHECK_EQ(memcmp(one, "abcd", 4) | memcmp(two, "ef", 2), 0);
    CHECK_EQ(message.msg_namelen, sizeof(struct sockaddr_in));
    REQUIRE(CMSG_FIRSTHDR(&message) != NULL);
    CHECK_EQ(CMSG_FIRSTHDR(&message)->cmsg_type, IP_PKTINFO);
    info = (struct in_pktinfo *)CMSG_DATA(CMSG_FIRSTHDR(&message));
    CHECK_EQ(info->ipi_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK(CMSG_NXTHDR(&message, CMSG_FIRSTHDR(&message)) == NULL);
    CHECK_EQ(sendto(fd, "abcdef", 6, 0, (struct sockaddr *)&address, len), 6);
    message = (struct msghdr){ NULL, 0, in, 1, NULL, 0, 0 };
    CHECK_EQ(recvmsg(fd, &message, 0), 4);
    CHECK_EQ(message.msg_flags & MSG_TRUNC, MSG_TRUNC);
    close(fd);
}

TEST(udp_multicast_over_the_loopback)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(4999) };
    struct ip_mreq group;
    int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
    struct in_addr own = { htonl(INADDR_LOOPBACK) };
    unsigned char ttl = 3;
    char text[4];

    CHECK_EQ(bind(in, (struct sockaddr *)&to, sizeof(to)), 0);
    inet_aton("239.1.2.3", &group.imr_multiaddr);
    group.imr_interface = own;
    CHECK_EQ(setsockopt(in, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
    CHECK_FAILS(setsockopt(in, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), EADDRINUSE);
    CHECK_EQ(setsockopt(out, IPPROTO_IP, IP_MULTICAST_IF, &own, sizeof(own)), 0);
    CHECK_EQ(setsockopt(out, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)), 0);
    to.sin_addr = group.imr_multiaddr;
    CHECK_EQ(sendto(out, "all", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
    CHECK_EQ(poll(&(struct pollfd){ in, POLLIN, 0 }, 1, 2000), 1);
    CHECK_EQ(recv(in, text, sizeof(text), MSG_DONTWAIT), 3);
    CHECK_EQ(setsockopt(in, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)), 0);
    close(in);
    close(out);
}

TEST(raw_icmp_echo)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    unsigned char echo[8] = { 8, 0, 0xf7, 0xff }, answer[64];
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    ssize_t rc = 0;

    REQUIRE(fd >= 0);
    CHECK_EQ(sendto(fd, echo, sizeof(echo), 0, (struct sockaddr *)&to, sizeof(to)), 8);
    for (int i = 0; i < 2; i++) { /* our own request comes too */
        CHECK_EQ(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 2000), 1);
        rc = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        if (rc == 28 && answer[20] == 0)
            break;
    }
    CHECK_EQ(rc, 28);
    CHECK_EQ(answer[20], 0);
    close(fd);
}

TEST(interfaces_have_names)
{
    struct if_nameindex *list = if_nameindex();
    char name[IF_NAMESIZE];

    REQUIRE(list != NULL);
    CHECK(list[0].if_index > 0);
    CHECK_EQ(if_nametoindex(list[0].if_name), list[0].if_index);
    CHECK(if_indextoname(list[0].if_index, name) == name);
    CHECK_EQ(strcmp(name, list[0].if_name), 0);
    CHECK_EQ(if_nametoindex("no such"), 0);
    if_freenameindex(list);
}
