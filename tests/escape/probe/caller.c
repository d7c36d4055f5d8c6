/* SPDX-License-Identifier: Apache-2.0 */
/* probe caller DIR -- COMMAND [ARGUMENT]...
 *
 * Runs a command as the most careless of callers would: with descriptors of all kinds open, a terminal, signals blocked
 * and ignored, odd limits, a secret in the environment and one in the session keyring, in DIR; and with listeners on the
 * host that nobody in a box may reach. Where they are is added to the command line, as `probe run` takes it. Afterwards
 * says "reached WHAT" for each that was reached after all, and ends with the command's status. */
#include "probe.h"

#include <linux/keyctl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/** The listeners, and where they are. */
static struct {
	int abstract, datagram, giver, path, tcp, vsock, segment;
	char name[48];
	unsigned tcp_port, vsock_port;
} host;

static int listener(int family, int type, const void *address, socklen_t size)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && (bind(fd, address, size) != 0 || (type == SOCK_STREAM && listen(fd, 16) != 0))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void listen_on_host(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_vm vm = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = VMADDR_PORT_ANY };
	socklen_t n = sizeof in;

	snprintf(host.name, sizeof host.name, "glovebox-escape-%d", getpid());
	strcpy(at.sun_path + 1, host.name);
	socklen_t named = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(host.name));
	host.abstract = listener(AF_UNIX, SOCK_STREAM, &at, named);
	/* Names are one for each type. */
	host.datagram = listener(AF_UNIX, SOCK_DGRAM, &at, named);
	strcat(at.sun_path + 1, GIVER);
	host.giver = listener(AF_UNIX, SOCK_STREAM, &at, named + (socklen_t)strlen(GIVER));
	strcpy(at.sun_path, "socket");
	host.path = listener(AF_UNIX, SOCK_STREAM, &at, sizeof at);
	host.tcp = listener(AF_INET, SOCK_STREAM, &in, sizeof in);
	if (getsockname(host.tcp, (struct sockaddr *)&in, &n) == 0)
		host.tcp_port = ntohs(in.sin_port);
	host.vsock = listener(AF_VSOCK, SOCK_STREAM, &vm, sizeof vm);
	n = sizeof vm;
	if (host.vsock >= 0 && getsockname(host.vsock, (struct sockaddr *)&vm, &n) == 0)
		host.vsock_port = vm.svm_port;
}

/** Hands the root directory of the host to whoever connects, until the caller ends: containerd-shim's sockets answered
 * anybody on the same network (CVE-2020-15257). */
static void give_to_whoever_asks(void)
{
	struct iovec byte = { (char[]){ "x" }, 1 };
	union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } control = { 0 };
	struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

	pid_t caller = getpid();

	if (fork() != 0)
		return;
	/* A box that is refused at once may have ended the caller by now. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != caller)
		_exit(0);
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), taker;
	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof root), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.head), &root, sizeof root);
	fcntl(host.giver, F_SETFL, 0);
	while ((taker = accept4(host.giver, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		sendmsg(taker, &message, MSG_NOSIGNAL);
		close(taker);
	}
	_exit(0);
}

/** System V shared memory that others may read: it is found by a number alone. */
static void leave_segment(void)
{
	host.segment = shmget(segment_key(host.name), 4096, IPC_CREAT | IPC_EXCL | 0644);
	char *at = host.segment < 0 ? (char *)-1 : shmat(host.segment, NULL, 0);

	if (at == (char *)-1)
		return;
	strcpy(at, "the caller's");
	shmdt(at);
}

static void tell_if_reached(int fd, const char *what)
{
	if (fd >= 0 && accept4(fd, NULL, NULL, SOCK_CLOEXEC) >= 0)
		printf("reached %s\n", what);
}

/* ---- what is left about --------------------------------------------------------------------------- */

/** None of them close-on-exec. */
static void leave_descriptors(void)
{
	int here = open(".", O_RDONLY | O_DIRECTORY), root = open("/", O_PATH);

	open("/etc/passwd", O_RDONLY);
	memfd_create("left", 0);
	epoll_create1(0);
	dup2(here, 500);
	dup2(here, 4095);
	dup2(root, 60000);
}

static void leave_signals(void)
{
	const int some[] = { SIGUSR1, SIGUSR2, SIGWINCH, SIGVTALRM, SIGRTMIN + 3 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
		sigaddset(&set, some[i]);
		signal(some[i], SIG_IGN);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void soft_limit(int resource, rlim_t value)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)resource, &l) != 0 || (l.rlim_max != RLIM_INFINITY && l.rlim_max < value))
		return;
	l.rlim_cur = value;
	setrlimit((__rlimit_resource_t)resource, &l);
}

static void leave_limits(void)
{
	cpu_set_t one;
	const struct sched_param none = { 0 };

	soft_limit(RLIMIT_NOFILE, 65001);
	soft_limit(RLIMIT_STACK, 4198400);
	soft_limit(RLIMIT_FSIZE, 123456789);
	soft_limit(RLIMIT_MEMLOCK, 12345);
	sched_getaffinity(0, sizeof one, &one);
	for (int cpu = 0, kept = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &one) && kept++ > 0)
			CPU_CLR(cpu, &one);
	sched_setaffinity(0, sizeof one, &one);
	sched_setscheduler(0, SCHED_BATCH, &none);
	syscall(SYS_ioprio_set, 1, 0, 3 << 13);
	personality(ADDR_NO_RANDOMIZE);
	prctl(PR_SET_TIMERSLACK, 77777ul);
	prctl(PR_SET_THP_DISABLE, 1ul, 0ul, 0ul, 0ul);
	umask(0);
}

static void leave_secrets(void)
{
	setenv("GB_ESCAPE_SECRET", "from the caller", 1);
	setenv("BASH_ENV", "/tmp/nothing", 1);
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	syscall(SYS_add_key, "user", "glovebox-escape", "key", 3, KEY_SPEC_SESSION_KEYRING);
}

/* ---- the terminal --------------------------------------------------------------------------------- */

/** @return the master; the slave's name is in @p name. Raw, so that each character typed can be read. */
static int terminal(char *name, size_t size)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 || ptsname_r(master, name, size) != 0)
		return -1;
	return master;
}

static _Noreturn void command(const char *tty, char **argv)
{
	setsid();
	int slave = open(tty, O_RDWR);

	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) != 0)
		_exit(99);
	dup2(slave, 0);
	dup2(slave, 2);
	if (slave > 2)
		close(slave);
	/* Descriptors first: they are more than the limit that comes. */
	soft_limit(RLIMIT_NOFILE, 65001);
	leave_descriptors();
	leave_limits();
	leave_secrets();
	leave_signals();
	execvp(argv[0], argv);
	_exit(98);
}

static void what_was_typed(int slave)
{
	int n = 0;

	if (ioctl(slave, FIONREAD, &n) == 0 && n > 0)
		printf("reached terminal\n");
}

static void what_was_said(int master)
{
	static char text[65536];
	size_t total = 0;
	char *line;

	for (ssize_t n; total + 1 < sizeof text && (n = read(master, text + total, sizeof text - 1 - total)) > 0;)
		total += (size_t)n;
	for (char *rest = text; (line = strsep(&rest, "\n")) != NULL && rest != NULL;)
		printf("# said on the terminal: %s\n", line);
}

static char **extended(int argc, char **argv)
{
	char **all = calloc((size_t)argc + 4, sizeof *all);
	char hex[2 * sizeof host.name + 1] = "";

	memcpy(all, argv, sizeof *all * (size_t)argc);
	for (size_t i = 0; host.name[i] != '\0'; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)host.name[i]);
	if (asprintf(&all[argc], "abstract=%s", hex) < 0 || asprintf(&all[argc + 1], "tcp=%u", host.tcp_port) < 0 ||
	    asprintf(&all[argc + 2], "vsock=%u", host.vsock_port) < 0)
		abort();
	return all;
}

int caller_main(int argc, char **argv)
{
	char tty[64];
	int status = 0;
	struct termios raw;

	if (argc < 3 || strcmp(argv[1], "--") != 0 || chdir(argv[0]) != 0)
		return fprintf(stderr, "probe caller: DIR -- COMMAND\n"), 2;
	unlink("socket");
	listen_on_host();
	give_to_whoever_asks();
	leave_segment();
	int master = terminal(tty, sizeof tty), slave = master < 0 ? -1 : open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &raw) != 0)
		return perror("a terminal"), 2;
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	char **all = extended(argc - 2, argv + 2);
	pid_t pid = fork();
	if (pid == 0)
		command(tty, all);
	waitpid(pid, &status, 0);
	tell_if_reached(host.abstract, "abstract");
	if (recv(host.datagram, &(char){ 0 }, 1, MSG_DONTWAIT) == 1)
		printf("reached datagram\n");
	tell_if_reached(host.path, "path");
	tell_if_reached(host.tcp, "tcp");
	tell_if_reached(host.vsock, "vsock");
	what_was_typed(slave);
	what_was_said(master);
	unlink("socket");
	if (host.segment >= 0)
		shmctl(host.segment, IPC_RMID, NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
