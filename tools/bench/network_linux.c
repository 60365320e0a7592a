/* SPDX-License-Identifier: MIT
 *
 * threads.h for network.c in a Linux domU, where the program is /init: an interface with the
 * address that the kernel's command line gives (address=10.0.2.30, which the kernel hands to init's
 * environment), and a web server in place of the program if it names one:
 * serve=/server,ARGUMENT,...
 *
 * No part of any Xenolith domain.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "linux_init.h"
#include "threads.h"

#define ARGS_MAX 8
#define TRIES    100 /* of 50 ms each: the interface comes when netfront has found it */

static int set_up(const char *name)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0), rc = -1;
    struct ifreq request = { 0 };
    struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;

    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    for (int i = 0; i < TRIES && rc; i++) {
        address->sin_family = AF_INET;
        inet_aton(getenv("address") ? getenv("address") : "127.0.0.1", &address->sin_addr);
        rc = ioctl(fd, SIOCSIFADDR, &request);
        if (rc)
            usleep(50000);
    }
    address->sin_addr.s_addr = inet_addr("255.255.255.0");
    if (rc == 0 && strcmp(name, "lo"))
        rc = ioctl(fd, SIOCSIFNETMASK, &request);
    if (rc == 0)
        rc = ioctl(fd, SIOCGIFFLAGS, &request);
    request.ifr_flags |= IFF_UP | IFF_RUNNING;
    if (rc == 0)
        rc = ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
    return rc;
}

static void become(char *command)
{
    char *args[ARGS_MAX + 1] = { NULL }, *rest = NULL;

    args[0] = strtok_r(command, ",", &rest);
    for (int i = 1; i < ARGS_MAX && args[i - 1]; i++)
        args[i] = strtok_r(NULL, ",", &rest);
    printf("network: %s\n", args[0]);
    execv(args[0], args);
    printf("network: %s: %s\n", args[0], strerror(errno));
}

void system_begin(void)
{
    linux_init();
    if (set_up("eth0"))
        printf("network: eth0: %s\n", strerror(errno));
    if (getenv("serve"))
        become(getenv("serve"));
}

void system_end(void)
{
    linux_power_off();
}

uint64_t system_own_ns(void)
{
    uint64_t ns = 0;

    for (long vcpu = 0; vcpu < sysconf(_SC_NPROCESSORS_ONLN); vcpu++)
        ns += linux_own_ns((unsigned int)vcpu);
    return ns;
}
