/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for decompressors, or with EVIL_HTTP for what an HTTP client receives with (LD_PRELOAD), and does what one that was taken over
 * would: $EVIL says what, $EVIL_MARK where to leave a trace of it outside, $EVIL_SECRETS what to read, $EVIL_SOCKET where to connect to. Whatever comes of it, it ends by a signal that no reader ends by otherwise, so that a test can tell that this ran, and not the
 * real one. Raw system calls where libc might say no by itself. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static char mark[sizeof ((struct sockaddr_un *)0)->sun_path - 8], what[32], secrets[4096];
static struct sockaddr_un service = { .sun_family = AF_UNIX };
static pid_t runner;
static uint64_t in_the_runner;

/** Before there is anything to be confined: the environment may be out of reach by then. */
__attribute__((constructor)) static void begin(void)
{
	snprintf(mark, sizeof mark, "%s", getenv("EVIL_MARK") == NULL ? "" : getenv("EVIL_MARK"));
	snprintf(what, sizeof what, "%s", getenv("EVIL") == NULL ? "" : getenv("EVIL"));
	snprintf(secrets, sizeof secrets, "%s", getenv("EVIL_SECRETS") == NULL ? "" : getenv("EVIL_SECRETS"));
	if (getenv("EVIL_SOCKET") != NULL)
		snprintf(service.sun_path, sizeof service.sun_path, "%s", getenv("EVIL_SOCKET"));
	runner = getpid();
}

static void leave_mark(void)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd >= 0)
		(void)!write(fd, what, strlen(what));
}

/** What is refused by an error, so that it goes on: one after the other. */
static void try_files(void)
{
	static const char *const secrets[] = { "/etc/passwd", "/proc/self/environ", "/proc/self/maps", "/dev/null", "/" };

	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		if (syscall(SYS_openat, AT_FDCWD, secrets[i], O_RDONLY | O_CLOEXEC) >= 0 || access(secrets[i], F_OK) == 0)
			leave_mark();
	leave_mark();
}

static void try_socket(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(at.sun_path, mark, sizeof mark);
	(void)bind(s, (struct sockaddr *)&at, sizeof at);
}

/** By a socket of its own, and by the half of a pair. */
static void try_connect(void)
{
	int pair[2];

	(void)connect(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&service, sizeof service);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 && close(pair[0]) == 0)
		(void)connect(pair[1], (struct sockaddr *)&service, sizeof service);
}

/** One that could be opened is told by another end than that of all deeds. */
static void try_secret(void)
{
	for (char *path = strtok(secrets, ":"); path != NULL; path = strtok(NULL, ":"))
		if (syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) >= 0)
			abort();
}

static void try_inet(void)
{
	if (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0)
		leave_mark();
}

static void try_fork(void)
{
	if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) >= 0)
		leave_mark();
}

static void try_exec(void)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)": >\"$EVIL_MARK\"", NULL };

	(void)execve("/bin/sh", argv, environ);
}

/** The runner would die of this, and with another code than for a reader that has. */
static void try_kill(void)
{
	(void)syscall(SYS_kill, runner, SIGKILL);
}

static void try_ptrace(void)
{
	if (ptrace(PTRACE_ATTACH, runner, NULL, NULL) == 0)
		(void)syscall(SYS_kill, runner, SIGKILL);
}

static void try_memory(void)
{
	uint64_t found = 0;
	const struct iovec own = { &found, sizeof found }, theirs = { &in_the_runner, sizeof in_the_runner };

	if (process_vm_readv(runner, &own, 1, &theirs, 1, 0) > 0)
		(void)syscall(SYS_kill, runner, SIGKILL);
}

/** A file of the caller's. */
static const char *victim(void)
{
	static char path[sizeof mark + 8];

	snprintf(path, sizeof path, "%s.victim", mark);
	return path;
}

static void try_unlink(void)
{
	(void)syscall(SYS_unlinkat, AT_FDCWD, victim(), 0);
}

static void try_truncate(void)
{
	(void)!truncate(victim(), 0);
}

static void try_chmod(void)
{
	(void)chmod(victim(), 0);
}

static void try_ids(void)
{
	if (syscall(SYS_setresuid, 0, 0, 0) == 0)
		(void)syscall(SYS_kill, runner, SIGKILL);
}

static void try_unshare(void)
{
	(void)syscall(SYS_unshare, 0x10020000);
	try_fork();
}

/** Whatever descriptors are open: its own pipes get garbage, and nothing else may. */
static void try_descriptors(void)
{
	static const char garbage[] = "EVIL-WAS-HERE";

	for (int fd = 0; fd < 1024; fd++)
		for (int i = 0; i < 64; i++)
			if (write(fd, garbage, sizeof garbage - 1) <= 0)
				break;
}

static const struct { const char *name; void (*fn)(void); } deeds[] = {
	{ "files", try_files }, { "socket", try_socket }, { "inet", try_inet }, { "fork", try_fork }, { "exec", try_exec },
	{ "kill", try_kill }, { "ptrace", try_ptrace }, { "memory", try_memory }, { "unlink", try_unlink },
	{ "truncate", try_truncate }, { "chmod", try_chmod }, { "ids", try_ids },
	{ "unshare", try_unshare }, { "connect", try_connect }, { "secret", try_secret }, { "descriptors", try_descriptors },
};

static int be_evil(void)
{
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
		if (strcmp(deeds[i].name, what) == 0)
			deeds[i].fn();
	__builtin_trap();
	return -1;
}

#ifdef EVIL_HTTP
ssize_t recv(int fd, void *data, size_t n, int flags)
{
	(void)fd;
	(void)data;
	(void)n;
	(void)flags;
	return be_evil();
}
#else
/* zlib, liblzma, libbz2, libzstd, liblz4: what decompresses a piece. */
int inflate(void *stream, int flush);
int inflate(void *stream, int flush)
{
	(void)stream;
	(void)flush;
	return be_evil();
}

int lzma_code(void *stream, int action);
int lzma_code(void *stream, int action)
{
	(void)stream;
	(void)action;
	return be_evil();
}

int BZ2_bzDecompress(void *stream);
int BZ2_bzDecompress(void *stream)
{
	(void)stream;
	return be_evil();
}

size_t ZSTD_decompressStream(void *stream, void *out, void *in);
size_t ZSTD_decompressStream(void *stream, void *out, void *in)
{
	(void)stream;
	(void)out;
	(void)in;
	return (size_t)be_evil();
}
#endif
