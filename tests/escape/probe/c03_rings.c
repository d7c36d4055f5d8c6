/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 3: system calls that no filter sees (io_uring), and memory whose faults one answers oneself (userfaultfd), by which races in the
 * kernel are won at leisure. */
#include "probe.h"

#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/** A ring's memory is on the account of locked memory, which caller.c has left next to nothing of. */
static void lock_all(void)
{
	struct rlimit l;

	getrlimit(RLIMIT_MEMLOCK, &l);
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &l);
}

static enum verdict io_uring(void)
{
	struct io_uring_params params = { 0 };

	return unless_failed(syscall(SYS_io_uring_setup, 4, &params), "a ring");
}

/** A thread of the kernel's takes what is written to the ring, without any call. */
static enum verdict io_uring_polled(void)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1 };

	lock_all();
	return unless_failed(syscall(SYS_io_uring_setup, 4, &params), "a ring");
}

/** Of no ring: EBADF tells that a look was taken. */
static enum verdict looked(long r)
{
	return r >= 0 || errno == EBADF || errno == EINVAL ? through("a look was taken") : held(errno);
}

static enum verdict io_uring_enter(void) { return looked(syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0)); }
static enum verdict io_uring_register(void) { return looked(syscall(SYS_io_uring_register, -1, IORING_REGISTER_BUFFERS, NULL, 0)); }

/** One operation by a ring. @return whether there is one; what came of it in @p ret_result. */
static bool by_ring(const struct io_uring_sqe *operation, int *ret_result)
{
	struct io_uring_params params = { 0 };

	lock_all();
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0)
		return false;
	size_t size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	char *queues = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *entries = mmap(NULL, params.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (queues == MAP_FAILED || entries == MAP_FAILED || (params.features & IORING_FEAT_SINGLE_MMAP) == 0)
		return false;
	entries[0] = *operation;
	((unsigned *)(void *)(queues + params.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned *)(void *)(queues + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return false;
	*ret_result = ((struct io_uring_cqe *)(void *)(queues + params.cq_off.cqes))[0].res;
	return true;
}

/** The filter looks at modes in the arguments of calls. */
static enum verdict setuid_by_ring(void)
{
	const struct io_uring_sqe create = { .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)"/tmp/ring", .len = 04755,
					     .open_flags = O_CREAT | O_WRONLY };
	int result;

	if (!by_ring(&create, &result))
		return held(errno);
	return is_dangerous("/tmp/ring") ? through("a setuid file") : held(result < 0 ? -result : 0);
}

/** … and at families. */
static enum verdict socket_by_ring(void)
{
	const struct io_uring_sqe create = { .opcode = IORING_OP_SOCKET, .fd = AF_ALG, .off = SOCK_SEQPACKET };
	int result;

	if (!by_ring(&create, &result))
		return held(errno);
	return result >= 0 ? through("a socket of the family ALG") : held(-result);
}

static enum verdict userfault(void)
{
	long fd = syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API };

	if (fd < 0)
		return held(errno);
	return through("a descriptor, its handshake: %d", ioctl((int)fd, UFFDIO_API, &api));
}

/** The kernel's own faults, too: it waits in the middle of a call for as long as one likes. */
static enum verdict userfault_kernel(void) { return unless_failed(syscall(SYS_userfaultfd, 0), "a descriptor"); }

/** The same by a device, which asks for no privilege but to open it. */
static enum verdict userfault_device(void)
{
	int fd = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);

	return fd < 0 ? held(errno) : unless_failed(ioctl(fd, USERFAULTFD_IOC_NEW, 0), "a descriptor");
}

/** A host can have io_uring switched off (kernel.io_uring_disabled). */
#define RING(name_, fn_) { 3, name_, fn_, { "ENOSYS", [MODE_FLOOR] = "ENOSYS|EPERM", [MODE_BARE] = "through|EPERM|ENOSYS", [MODE_WEAK] = "through|EPERM|ENOSYS" } }

const struct probe ring_probes[] = {
	RING("io-uring", io_uring), RING("io-uring-polled", io_uring_polled),
	RING("io-uring-enter", io_uring_enter), RING("io-uring-register", io_uring_register),
	RING("setuid-by-ring", setuid_by_ring),
	{ 3, "socket-by-ring", socket_by_ring, { "ENOSYS", [MODE_FLOOR] = "ENOSYS|EPERM", [MODE_BARE] = "through|*", [MODE_WEAK] = "through|*" } },
	{ 3, "userfault", userfault, { "EPERM", [MODE_BARE] = "through" } },
	{ 3, "userfault-kernel", userfault_kernel, { "EPERM", [MODE_BARE] = "through|EPERM", [MODE_WEAK] = "through|EPERM" } },
	{ 3, "userfault-device", userfault_device, { "ENOENT", [MODE_WEAK] = "through|EACCES|ENOENT" } },
	{ 0 },
};
