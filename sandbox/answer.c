/* SPDX-License-Identifier: Apache-2.0 */
/* init answers a step's calls as another host would (seccomp_unotify(2)): directories list the other way round, clocks are ahead. Only while
 * a build is tried under other circumstances. What init cannot answer goes on to the kernel: this is a lens, and no wall.
 *
 * A C library asks the vDSO for the time, and not the kernel. Every program that has just begun says where its thread's own memory is
 * (arch_prctl(2)): at that stop the functions of its vDSO, which is its own copy from then on, are overwritten with plain calls. */
#include "sandbox/child.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

#include <linux/auxvec.h>
#include <linux/seccomp.h>

#include "sandbox/sys.h"

/** Most bytes of entries at once: what the C libraries ask for. */
#define ENTRIES_MAX (32u << 10)
/** A number, and what is asked of it. */
#define PROC_PATH_MAX 32
/** Of /proc/PID/status: its first lines. */
#define STATUS_MAX 512

/** An entry of getdents64(2): offset, and length of the whole, behind the inode. */
#define ENTRY_OFFSET 8
#define ENTRY_LENGTH 16
#define ENTRY_NAME 19

static int answer(const struct child *c, const struct seccomp_notif *q, int64_t value, int error, uint32_t flags)
{
	struct seccomp_notif_resp resp = { .id = q->id, .val = value, .error = -error, .flags = flags };

	return (int)syscall(SYS_ioctl, c->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

static void let_it(const struct child *c, const struct seccomp_notif *q)
{
	(void)answer(c, q, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

static bool is_waiting(const struct child *c, const struct seccomp_notif *q)
{
	return syscall(SYS_ioctl, c->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &q->id) == 0;
}

/** That this host cannot pretend to be another. */
static struct note failure(int sys)
{
	return (struct note){ .kind = NOTE_FAIL, .stage = STAGE_ANSWER, .index = -1, .code = sys };
}

/** Writes to the caller's memory, as the kernel would. */
static bool put(const struct seccomp_notif *q, uint64_t to, const void *data, size_t n)
{
	const struct iovec here = { (void *)(uintptr_t)data, n }, there = { (void *)(uintptr_t)to, n };

	return syscall(SYS_process_vm_writev, q->pid, &here, 1ul, &there, 1ul, 0ul) == (long)n;
}

/** Opens /proc/PID/name. */
static int open_proc(const struct child *c, uint32_t pid, const char *name, int flags)
{
	char path[PROC_PATH_MAX], digits[10];
	size_t n = 0, at = 0;

	do
		digits[n++] = (char)('0' + pid % 10);
	while ((pid /= 10) != 0);
	while (n > 0)
		path[at++] = digits[--n];
	path[at++] = '/';
	memcpy(path + at, name, strlen(name) + 1);
	return sys_open(c->proc, path, flags);
}

/* ---- directories ------------------------------------------------------------------- */

/** The process of a thread, by "Tgid:" in its status; 0: it is gone. The line before that has a name of the thread's own choice: only
 *  the end of a line cannot be in it. */
static long process_of(const struct child *c, uint32_t thread)
{
	static const char key[] = "\nTgid:\t";
	char text[STATUS_MAX];
	int fd = open_proc(c, thread, "status", O_RDONLY);
	long n = fd < 0 ? 0 : syscall(SYS_read, fd, text, sizeof text - 1), pid = 0;
	size_t same = 0;

	if (fd >= 0)
		sys_close(fd);
	for (long i = 0; i < n && text[i] != '\0'; i++) {
		if (same == sizeof key - 1 && text[i] >= '0' && text[i] <= '9')
			pid = pid * 10 + text[i] - '0';
		else if (same == sizeof key - 1)
			break;
		else
			same = text[i] == key[same] ? same + 1 : 0;
	}
	return pid;
}

/** The caller's own descriptor, which has its own place in the directory (pidfd_getfd(2)). */
static int take_fd(const struct child *c, const struct seccomp_notif *q)
{
	long pid = process_of(c, q->pid);
	int process = pid == 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0u);

	if (process < 0)
		return -1;
	int fd = (int)syscall(SYS_pidfd_getfd, process, (int)q->data.args[0], 0u);
	sys_close(process);
	return fd;
}

static size_t length_of(const char *entry)
{
	uint16_t n;

	memcpy(&n, entry + ENTRY_LENGTH, sizeof n);
	return n;
}

static bool is_dot(const char *entry)
{
	const char *name = entry + ENTRY_NAME;

	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/** Turns entries round. Offsets stay where they were: the last one says where the next call begins. */
static void turn_round(const char *in, char *out, size_t n)
{
	size_t front = 0, back = n;

	for (size_t at = 0, len; at < n; at += len) {
		len = length_of(in + at);
		if (!is_dot(in + at))
			back -= len;
		memcpy(out + (is_dot(in + at) ? front : back), in + at, len);
		if (is_dot(in + at))
			front += len;
	}
	for (size_t from = 0, to = 0; from < n; from += length_of(in + from), to += length_of(out + to))
		memcpy(out + to + ENTRY_OFFSET, in + from + ENTRY_OFFSET, sizeof(uint64_t));
}

/** A caller that init may not look into keeps its order, as long as init may look into others: a process can close itself to all. */
static int pass_over(const struct child *c, const struct seccomp_notif *q, struct note *note)
{
	bool denied = errno == EPERM || errno == EACCES || errno == ENOSYS;

	*note = failure(errno);
	if (denied && !c->answers && is_waiting(c, q))
		return -1;
	let_it(c, q);
	return 0;
}

static void list(const struct child *c, const struct seccomp_notif *q, int fd)
{
	char in[ENTRIES_MAX] __attribute__((aligned(8))), out[ENTRIES_MAX] __attribute__((aligned(8)));
	size_t asked = (uint32_t)q->data.args[2], room = asked < ENTRIES_MAX ? asked : ENTRIES_MAX;
	int error = 0;

	long before = syscall(SYS_lseek, fd, 0l, SEEK_CUR);
	/* The kernel writes names, and not what is behind them up to the next entry: nothing of init's memory may be there. */
	memset(in, 0, room);
	long n = syscall(SYS_getdents64, fd, in, room);
	if (n < 0)
		error = errno;
	if (n > 0) {
		turn_round(in, out, (size_t)n);
		error = put(q, q->data.args[1], out, (size_t)n) ? 0 : EFAULT;
	}
	/* A signal has ended the call: it is made again, and must not miss these. */
	if (answer(c, q, error == 0 ? n : 0, error, 0) != 0 && before >= 0)
		(void)syscall(SYS_lseek, fd, before, SEEK_SET);
}

static int list_turned(struct child *c, const struct seccomp_notif *q, struct note *note)
{
	int fd = take_fd(c, q);

	if (fd < 0)
		return pass_over(c, q, note);
	c->answers = true;
	list(c, q, fd);
	sys_close(fd);
	return 0;
}

/* ---- clocks ------------------------------------------------------------------------------ */

#ifdef __x86_64__

static void tell_time(const struct child *c, const struct seccomp_notif *q)
{
	const __u64 *args = q->data.args;
	bool is_clock = q->data.nr == SYS_clock_gettime, is_time = q->data.nr == SYS_time, done = true;
	const struct timezone utc = { 0 };
	struct timespec now = { 0 };

	(void)syscall(SYS_clock_gettime, is_clock ? (int)args[0] : CLOCK_REALTIME, &now);
	now.tv_sec += (time_t)c->plan->vary.clock_s;
	const struct timeval coarse = { now.tv_sec, now.tv_nsec / 1000 };
	if (is_clock)
		done = put(q, args[1], &now, sizeof now);
	else if (args[0] != 0)
		done = is_time ? put(q, args[0], &now.tv_sec, sizeof now.tv_sec) : put(q, args[0], &coarse, sizeof coarse);
	if (q->data.nr == SYS_gettimeofday && args[1] != 0)
		done = put(q, args[1], &utc, sizeof utc) && done;
	/* Whoever has closed itself to others, or gave no good place, has the kernel's own answer. */
	if (done)
		(void)answer(c, q, is_time ? now.tv_sec : 0, 0, 0);
	else
		let_it(c, q);
}

/** Where the vDSO of a process begins (proc(5), auxv); 0: nowhere. @return -1 when that cannot be read. */
static int find_vdso(const struct child *c, uint32_t pid, uint64_t *ret)
{
	uint64_t pairs[128];
	int fd = open_proc(c, pid, "auxv", O_RDONLY);
	long n = fd < 0 ? -1 : syscall(SYS_read, fd, pairs, sizeof pairs);

	if (fd >= 0)
		sys_close(fd);
	*ret = 0;
	for (size_t i = 0; n > 0 && i + 1 < (size_t)n / sizeof *pairs; i += 2)
		if (pairs[i] == AT_SYSINFO_EHDR)
			*ret = pairs[i + 1];
	return n > 0 ? 0 : -1;
}

static int overwrite_vdso(const struct child *c, uint32_t pid)
{
	const struct plan *plan = c->plan;
	uint64_t base;
	int result = 0;

	if (find_vdso(c, pid, &base) != 0)
		return -1;
	int mem = base == 0 || plan->npatches == 0 ? -1 : open_proc(c, pid, "mem", O_RDWR);
	if (mem < 0)
		return base == 0 || plan->npatches == 0 ? 0 : -1;
	for (size_t i = 0; result == 0 && i < plan->npatches; i++) {
		const struct patch *p = &plan->patches[i];

		result = syscall(SYS_pwrite64, mem, p->code, sizeof p->code, base + p->offset) == sizeof p->code ? 0 : -1;
	}
	sys_close(mem);
	return result;
}

/** Whoever was killed meanwhile needs no clock. A program that has closed itself to others, or has no vDSO any more, keeps the
 *  kernel's, once another one was given this: it is no fault of the host's then. */
static int begin_clock(struct child *c, const struct seccomp_notif *q, struct note *note)
{
	bool done = overwrite_vdso(c, q->pid) == 0;

	*note = failure(errno);
	if (!done && !c->winds && is_waiting(c, q))
		return -1;
	c->winds = c->winds || done;
	let_it(c, q);
	return 0;
}

#endif

int answer_turn(struct child *c, struct note *note)
{
	struct seccomp_notif asked = { 0 };

	/* ENOENT: the caller was killed meanwhile. */
	if (syscall(SYS_ioctl, c->listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
		return 0;
	if (asked.data.nr == SYS_getdents64)
		return list_turned(c, &asked, note);
#ifdef __x86_64__
	if (asked.data.nr == SYS_arch_prctl)
		return begin_clock(c, &asked, note);
	tell_time(c, &asked);
#endif
	return 0;
}
