/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 6: nothing of the host's network is in reach. caller.c keeps the listeners that are looked for. */
#include "probe.h"

#include <dirent.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/vm_sockets.h>

/** Interfaces that are up, by the one family of sockets that every profile lets through. */
static enum verdict interface_up(void)
{
	char text[65536], *line;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (slurp("/proc/net/dev", text, sizeof text) <= 0 || fd < 0)
		return broken("/proc/net/dev");
	for (char *rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		struct ifreq req = { 0 };

		if (sscanf(line, " %15[^:]:", req.ifr_name) != 1 || ioctl(fd, SIOCGIFFLAGS, &req) != 0)
			continue;
		if ((req.ifr_flags & IFF_UP) != 0 && !(with_loopback && strcmp(req.ifr_name, "lo") == 0))
			return through("%s is up", req.ifr_name);
	}
	return held(0);
}

static enum verdict other_interface(void)
{
	char text[65536], *line;
	int n = 0;

	if (slurp("/proc/net/dev", text, sizeof text) <= 0)
		return broken("/proc/net/dev");
	for (char *rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		char name[32];

		if (sscanf(line, " %31[^:]:", name) == 1 && strchr(line, ':') != NULL && strchr(line, '|') == NULL && strcmp(name, "lo") != 0 &&
		    /* Without a device these are made with every network namespace. */
		    strcmp(name, "sit0") != 0 && strcmp(name, "tunl0") != 0 && strcmp(name, "gre0") != 0 && strcmp(name, "gretap0") != 0 &&
		    strcmp(name, "erspan0") != 0 && strcmp(name, "ip_vti0") != 0 && strcmp(name, "ip6_vti0") != 0 && strcmp(name, "ip6tnl0") != 0 &&
		    strcmp(name, "ip6gre0") != 0)
			return through("%s", name);
		n++;
	}
	return n == 0 ? broken("/proc/net/dev is empty") : held(0);
}

/** A route to anywhere. */
static enum verdict route(void)
{
	char text[65536];

	if (slurp("/proc/net/route", text, sizeof text) < 0)
		return broken("/proc/net/route");
	/* The first line is the head of the table. */
	const char *line = strchr(text, '\n');
	return line != NULL && line[1] != '\0' ? through("%.100s", line + 1) : held(0);
}

static enum verdict bring_up(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING | (with_loopback ? IFF_PROMISC : 0) };

	return fd < 0 ? broken("socket") : unless_failed(ioctl(fd, SIOCSIFFLAGS, &req), "lo was changed");
}

static enum verdict abstract_host(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(host_abstract));

	if (fd < 0 || host_abstract[0] == '\0')
		return broken("no abstract name was given");
	strcpy(at.sun_path + 1, host_abstract);
	return unless_failed(connect(fd, (struct sockaddr *)&at, n), "connected to the caller");
}

static int connect_abstract(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t n = strlen(name);

	if (fd < 0 || n + 1 > sizeof at.sun_path)
		return -1;
	memcpy(at.sun_path + 1, name, n);
	return connect(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)) == 0 ? fd : -1;
}

/** A descriptor that the caller's other socket hands out: with it one walks out of any root. */
static enum verdict abstract_descriptor(void)
{
	union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } control;
	char name[sizeof host_abstract + 16], byte;
	struct iovec to = { &byte, 1 };
	struct msghdr message = { .msg_iov = &to, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

	snprintf(name, sizeof name, "%s" GIVER, host_abstract);
	if (host_abstract[0] == '\0')
		return broken("no abstract name was given");
	int fd = connect_abstract(name), given;
	if (fd < 0)
		return held(errno);
	if (recvmsg(fd, &message, 0) <= 0 || CMSG_FIRSTHDR(&message) == NULL)
		return through("connected to the caller");
	memcpy(&given, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof given);
	return fchdir(given) == 0 ? through("in the host's root directory") : through("a descriptor of the host's: %d", given);
}

/** All names that the kernel lists: X11, D-Bus and containerd have theirs there. */
static enum verdict abstract_listed(void)
{
	static char text[1 << 20];
	char *line;
	int sys = ENOENT;

	if (slurp("/proc/net/unix", text, sizeof text) < 0)
		return broken("/proc/net/unix");
	for (char *rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		char *name = strstr(line, " @");

		if (name == NULL)
			continue;
		if (connect_abstract(name + 2) >= 0)
			return through("connected to @%s", name + 2);
		sys = errno;
	}
	return held(sys);
}

/** A datagram needs no connection, and can carry a descriptor out. */
static enum verdict abstract_datagram(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(host_abstract));

	if (fd < 0 || host_abstract[0] == '\0')
		return broken("no abstract name was given");
	memcpy(at.sun_path + 1, host_abstract, strlen(host_abstract));
	return unless_failed(sendto(fd, "x", 1, 0, (struct sockaddr *)&at, n), "sent to the caller");
}

/** The kernel lists sockets by name. */
static enum verdict socket_list(void)
{
	static char text[1 << 20];

	if (slurp("/proc/net/unix", text, sizeof text) < 0)
		return broken("/proc/net/unix");
	for (size_t i = 0; needles[i][0] != '\0'; i++)
		if (strstr(text, needles[i]) != NULL)
			return through("the caller's socket is listed");
	return host_abstract[0] != '\0' && strstr(text, host_abstract) != NULL ? through("the caller's socket is listed") : held(0);
}

/** Sockets of services by the paths where they are. */
static enum verdict path_sockets(void)
{
	static const char *const paths[] = { "/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "/dev/log",
					     "/run/systemd/private", "/run/systemd/journal/socket", "/run/containerd/containerd.sock",
					     "/tmp/.X11-unix/X0", "/run/podman/podman.sock", "/run/snapd.socket" };
	int sys = 0;

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct sockaddr_un at = { .sun_family = AF_UNIX };

		strcpy(at.sun_path, paths[i]);
		for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
			int fd = socket(AF_UNIX, type, 0);

			if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 || errno != ENOENT)
				return through("%s: %s", paths[i], strerror(errno));
			sys = errno;
			close(fd);
		}
	}
	return held(sys);
}

static enum verdict tcp_host(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)host_tcp_port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return held(errno);
	return host_tcp_port == 0 ? broken("no port was given") : unless_failed(connect(fd, (struct sockaddr *)&at, sizeof at), "connected");
}

/** The resolver's place, and one that is everywhere: an answer or none, the datagram must not get out. */
static enum verdict dns_query(void)
{
	static const char query[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1";
	static const uint32_t at[] = { 0x08080808, 0x7f000035, 0xa9fea9fe };
	int sys = 0;

	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(at[i]) };
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		if (fd < 0)
			return held(errno);
		if (sendto(fd, query, sizeof query - 1, 0, (struct sockaddr *)&to, sizeof to) > 0 && !(with_loopback && at[i] >> 24 == 127))
			return through("a datagram to %#x went out", at[i]);
		sys = errno;
	}
	return held(sys);
}

static enum verdict resolver(void)
{
	char text[8192];

	if (slurp("/etc/resolv.conf", text, sizeof text) < 0)
		return held(errno);
	return strstr(text, "nameserver") != NULL ? through("%s", text) : held(0);
}

static enum verdict vsock_host(void)
{
	struct sockaddr_vm at = { .svm_family = AF_VSOCK, .svm_port = host_vsock_port, .svm_cid = VMADDR_CID_LOCAL };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0)
		return held(errno);
	/* A connection that is begun is enough: nobody need be there. */
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
		return through("connected to the caller");
	at.svm_cid = VMADDR_CID_HOST;
	connect(fd, (struct sockaddr *)&at, sizeof at);
	return through("the machine's host was asked: %s", strerror(errno));
}

/** A network device of one's own. */
static enum verdict tunnel(void) { return unless_failed(open("/dev/net/tun", O_RDWR), "opened"); }

/** With a loopback, it is one's own: what one binds there can be reached. */
static enum verdict own_loopback(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	if (server < 0)
		return held(errno);
	if (bind(server, (struct sockaddr *)&at, sizeof at) != 0 || listen(server, 1) != 0 ||
	    getsockname(server, (struct sockaddr *)&at, &n) != 0 || connect(client, (struct sockaddr *)&at, sizeof at) != 0)
		return held(errno);
	return with_loopback ? held(0) : through("there is a loopback");
}

#define NO_WAY { "EAFNOSUPPORT", "ENETUNREACH|ECONNREFUSED" }

const struct probe network_probes[] = {
	{ 6, "interface-up", interface_up, { "held" } },
	{ 6, "other-interface", other_interface, { "held", [MODE_WEAK] = "through|held" } },
	{ 6, "route", route, { "held", [MODE_WEAK] = "through|held" } },
	{ 6, "bring-up", bring_up, { "EPERM" } },
	{ 6, "abstract-host", abstract_host, { "ECONNREFUSED|EPERM", [MODE_BARE] = "-" } },
	{ 6, "abstract-descriptor", abstract_descriptor, { "ECONNREFUSED|EPERM", [MODE_BARE] = "-" } },
	{ 6, "abstract-listed", abstract_listed, { "ENOENT|ECONNREFUSED|EPERM", [MODE_BARE] = "-" } },
	{ 6, "abstract-datagram", abstract_datagram, { "ECONNREFUSED|EPERM", [MODE_BARE] = "-" } },
	{ 6, "socket-list", socket_list, { "held" } },
	{ 6, "path-sockets", path_sockets, { "ENOENT", [MODE_WEAK] = "ENOENT" } },
	{ 6, "tcp-host", tcp_host, { "EAFNOSUPPORT", "ENETUNREACH|ECONNREFUSED", [MODE_BARE] = "-" } },
	{ 6, "dns-query", dns_query, { "EAFNOSUPPORT", "ENETUNREACH" } },
	{ 6, "resolver", resolver, { "held", [MODE_WEAK] = "through|held|ENOENT" } },
	{ 6, "vsock-host", vsock_host, { "EAFNOSUPPORT", [MODE_FLOOR] = "EAFNOSUPPORT|EPERM|through", [MODE_BARE] = "through|EAFNOSUPPORT", [MODE_WEAK] = "through|EAFNOSUPPORT" } },
	{ 6, "tunnel", tunnel, { "ENOENT", [MODE_WEAK] = "through|ENOENT|EACCES" } },
	{ 6, "own-loopback", own_loopback, { "EAFNOSUPPORT", "ENETUNREACH|EADDRNOTAVAIL|held" } },
	{ 0 },
};
