/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 5: the families of sockets. */
#include "probe.h"

#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/** Families known to this kernel and its next ones. */
#define FAMILIES 64

static enum verdict open_socket(long family, long type, long protocol)
{
	long fd = syscall(SYS_socket, family, type, protocol);

	return fd < 0 ? held(errno) : through("a socket of family %ld, type %ld, protocol %ld", family, type, protocol);
}

/** What a profile lets through, and no more. */
static bool allowed(int family, int type, int protocol)
{
	if (family == AF_UNIX)
		return true;
	if (mode == MODE_STRICT)
		return false;
	if (family == AF_INET || family == AF_INET6)
		return type == SOCK_STREAM || type == SOCK_DGRAM;
	return family == AF_NETLINK && protocol == NETLINK_ROUTE;
}

/** Every family with every type and a few protocols; any that is open and should not be, and any wrong errno. */
static enum verdict every_family(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_DCCP, SOCK_PACKET };
	static const int protocols[] = { 0, 1, 6, 15, 255 };

	for (int family = -1; family < FAMILIES; family++)
		for (size_t t = 0; t < sizeof types / sizeof *types; t++)
			for (size_t p = 0; p < sizeof protocols / sizeof *protocols; p++) {
				long fd = syscall(SYS_socket, family, types[t] | SOCK_CLOEXEC, protocols[p]);

				if (fd >= 0 && !allowed(family, types[t], protocols[p]))
					return through("family %d, type %d, protocol %d", family, types[t], protocols[p]);
				if (fd < 0 && errno != EAFNOSUPPORT && family != AF_UNIX &&
				    (mode == MODE_STRICT || (family != AF_INET && family != AF_INET6 && family != AF_NETLINK)))
					return through("family %d is answered %s", family, strerror(errno));
				if (fd >= 0)
					close((int)fd);
			}
	return held(0);
}

static enum verdict every_pair(void)
{
	for (int family = 0; family < FAMILIES; family++)
		for (int type = 1; type <= 5; type++) {
			int pair[2];

			if (family != AF_UNIX && syscall(SYS_socketpair, family, type, 0, pair) == 0)
				return through("a pair of family %d", family);
		}
	return held(EAFNOSUPPORT);
}

static enum verdict netlink_others(void)
{
	for (int protocol = 1; protocol < 32; protocol++)
		for (int type = SOCK_DGRAM; type <= SOCK_RAW; type++)
			if (syscall(SYS_socket, AF_NETLINK, type, protocol) >= 0)
				return through("netlink protocol %d", protocol);
	return held(errno);
}

static enum verdict inet_odd_types(void)
{
	static const int types[] = { SOCK_RAW, SOCK_PACKET, SOCK_SEQPACKET, SOCK_DCCP };

	for (size_t t = 0; t < sizeof types / sizeof *types; t++)
		for (int family = AF_INET; family <= AF_INET6; family += AF_INET6 - AF_INET)
			if (syscall(SYS_socket, family, types[t], types[t] == SOCK_RAW ? IPPROTO_ICMP : 0) >= 0)
				return through("family %d, type %d", family, types[t]);
	return held(errno);
}

static enum verdict unix_socket(void) { return open_socket(AF_UNIX, SOCK_STREAM, 0); }
static enum verdict inet_stream(void) { return open_socket(AF_INET, SOCK_STREAM, 0); }
static enum verdict inet6_datagram(void) { return open_socket(AF_INET6, SOCK_DGRAM, 0); }
static enum verdict netlink_route(void) { return open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); }
static enum verdict netlink_audit(void) { return open_socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT); }
static enum verdict netlink_uevent(void) { return open_socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT); }
static enum verdict netlink_netfilter(void) { return open_socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER); }
static enum verdict vsock(void) { return open_socket(AF_VSOCK, SOCK_STREAM, 0); }
static enum verdict vsock_seqpacket(void) { return open_socket(AF_VSOCK, SOCK_SEQPACKET, 0); }
static enum verdict packet(void) { return open_socket(AF_PACKET, SOCK_RAW, 0x0300); }
static enum verdict xdp(void) { return open_socket(AF_XDP, SOCK_RAW, 0); }
static enum verdict icmp_raw(void) { return open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }

/** The kernel's ciphers: a family of its own, and a history of holes. */
static enum verdict alg(void)
{
	struct sockaddr_alg hash = { .salg_family = AF_ALG, .salg_type = "hash", .salg_name = "sha256" };
	long fd = syscall(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0);

	if (fd < 0)
		return held(errno);
	return through("bound: %d", bind((int)fd, (struct sockaddr *)&hash, sizeof hash));
}

static enum verdict alg_pair(void)
{
	int pair[2];

	return unless_failed(syscall(SYS_socketpair, AF_ALG, SOCK_SEQPACKET, 0, pair), "a pair");
}

static enum verdict alg_high(void) { return open_socket((long)(0xffffffff00000000ul | AF_ALG), SOCK_SEQPACKET, 0); }
static enum verdict vsock_datagram(void) { return open_socket(AF_VSOCK, SOCK_DGRAM, 0); }
static enum verdict vsock_one_bit(void) { return open_socket(1l << 32 | AF_VSOCK, SOCK_STREAM, 0); }
/** The machine's own address between it and its host. */
static enum verdict vsock_device(void) { return unless_failed(open("/dev/vsock", O_RDONLY), "opened"); }

#define NETWORK "general builds and their tests talk to themselves; which network there is does not hang on the profile"
#define NO_FAMILY { "EAFNOSUPPORT", [MODE_FLOOR] = "EAFNOSUPPORT|EPERM|through", [MODE_BARE] = "through|EAFNOSUPPORT|EPERM", \
		    [MODE_WEAK] = "through|EAFNOSUPPORT" }

const struct probe socket_probes[] = {
	{ 5, "unix-socket", unix_socket, { "through", [MODE_FLOOR] = "through", [MODE_BARE] = "through" },
	  "make's job server, compilers' daemons and test suites talk through UNIX sockets; none of the host's is in reach" },
	{ 5, "inet-stream", inet_stream, { "EAFNOSUPPORT", "through", [MODE_FLOOR] = "through", [MODE_BARE] = "through" }, NETWORK },
	{ 5, "inet6-datagram", inet6_datagram, { "EAFNOSUPPORT", "through", [MODE_FLOOR] = "through", [MODE_BARE] = "through" }, NETWORK },
	{ 5, "netlink-route", netlink_route, { "EAFNOSUPPORT", "through", [MODE_FLOOR] = "through", [MODE_BARE] = "through" },
	  "getaddrinfo and getifaddrs ask the kernel through it; what can be seen is the step's own network" },
	{ 5, "every-family", every_family, { "held", [MODE_FLOOR] = "-", [MODE_BARE] = "-" } },
	{ 5, "every-pair", every_pair, { "EAFNOSUPPORT", [MODE_FLOOR] = "EAFNOSUPPORT|through", [MODE_BARE] = "EAFNOSUPPORT|through", [MODE_WEAK] = "EAFNOSUPPORT|through" } },
	{ 5, "netlink-others", netlink_others, { "EAFNOSUPPORT", "EPROTONOSUPPORT", [MODE_FLOOR] = "through|*", [MODE_BARE] = "through" } },
	{ 5, "netlink-audit", netlink_audit, { "EAFNOSUPPORT", "EPROTONOSUPPORT", [MODE_FLOOR] = "through|*", [MODE_BARE] = "through|EPROTONOSUPPORT", [MODE_WEAK] = "through|EPROTONOSUPPORT" } },
	{ 5, "netlink-uevent", netlink_uevent, { "EAFNOSUPPORT", "EPROTONOSUPPORT", [MODE_FLOOR] = "through|*", [MODE_BARE] = "through" } },
	{ 5, "netlink-netfilter", netlink_netfilter, { "EAFNOSUPPORT", "EPROTONOSUPPORT", [MODE_FLOOR] = "through|*", [MODE_BARE] = "through|EPROTONOSUPPORT", [MODE_WEAK] = "through|EPROTONOSUPPORT" } },
	{ 5, "inet-odd-types", inet_odd_types, { "EAFNOSUPPORT", "EPERM" } },
	{ 5, "icmp-raw", icmp_raw, { "EAFNOSUPPORT", "EPERM" } },
	{ 5, "vsock", vsock, NO_FAMILY },
	{ 5, "vsock-seqpacket", vsock_seqpacket, { "EAFNOSUPPORT", [MODE_FLOOR] = "through|*", [MODE_BARE] = "through|*", [MODE_WEAK] = "through|*" } },
	{ 5, "vsock-datagram", vsock_datagram, { "EAFNOSUPPORT", [MODE_FLOOR] = "through|*", [MODE_BARE] = "through|*", [MODE_WEAK] = "through|*" } },
	{ 5, "vsock-one-bit", vsock_one_bit, NO_FAMILY },
	{ 5, "vsock-device", vsock_device, { "ENOENT", [MODE_WEAK] = "through|*" } },
	{ 5, "alg", alg, NO_FAMILY },
	{ 5, "alg-high", alg_high, NO_FAMILY },
	/* There are none: what is asked is that the kernel's own answer does not come from the family. */
	{ 5, "alg-pair", alg_pair, { "EAFNOSUPPORT", [MODE_WEAK] = "EOPNOTSUPP|EAFNOSUPPORT" } },
	{ 5, "packet", packet, { "EAFNOSUPPORT", [MODE_WEAK] = "through|EAFNOSUPPORT" } },
	{ 5, "xdp", xdp, { "EAFNOSUPPORT", [MODE_WEAK] = "through|EAFNOSUPPORT" } },
	{ 0 },
};
