/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 4: foreign ABIs are killed, and what the kernel takes as 32 bits is compared as 32 bits. */
#include "probe.h"

#include <linux/fs.h>
#include <linux/fiemap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#ifdef __x86_64__
#define X32 0x40000000l

/** i386's numbers are others: 20 is getpid, 21 mount, 310 unshare. */
static long int80(long nr, long a, long b)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(a), "c"(b) : "memory", "r8", "r9", "r10", "r11");
	return r;
}

static enum verdict i386(long nr, long a, long b)
{
	long r = int80(nr, a, b);

	/* As a filter says it of all of that ABI. */
	if (r == -EPERM || r == -ENOSYS)
		return held((int)-r);
	return r < 0 && r > -4096 ? through("i386 call %ld was answered: %s", nr, strerror((int)-r)) : through("i386 call %ld: %ld", nr, r);
}

static enum verdict i386_getpid(void) { return i386(20, 0, 0); }
static enum verdict i386_unshare(void) { return i386(310, 0x10000000, 0); }
/** All of i386's socket calls by one number. */
static enum verdict i386_socketcall(void) { return i386(102, 1, 0); }

/** @return whether the file that i386's chmod was given got its bits. */
static enum verdict i386_chmod(void)
{
	static char path[] = "/tmp/i386";

	if (put_file(path, 0755) != 0)
		return broken("%s", path);
	long r = int80(15, (long)(uintptr_t)path, 04755);
	return is_dangerous(path) ? through("setuid by i386's chmod") : held(r < 0 ? (int)-r : 0);
}

static enum verdict i386_unknown(void) { return i386(9999, 0, 0); }

static enum verdict x32(long nr)
{
	return unless_failed(syscall(X32 | nr, 0, 0, 0), "an x32 call");
}

static enum verdict x32_getpid(void) { return x32(SYS_getpid); }
static enum verdict x32_ptrace(void) { return x32(521); }

static enum verdict x32_chmod(void)
{
	if (put_file("/tmp/x32", 0755) != 0)
		return broken("/tmp/x32");
	return unless_failed(syscall(X32 | SYS_chmod, "/tmp/x32", 04755), "an x32 chmod");
}

static enum verdict x32_unknown(void) { return x32(9999); }
/** The bit set twice: as number -1 the kernel takes the call for none. */
static enum verdict number_minus_one(void) { return unless_failed(syscall(-1l), "call -1"); }
static enum verdict number_high(void) { return unless_failed(syscall(0x100000000l | SYS_unshare, 0x10000000), "unshare"); }
#endif

/* ---- ioctl ---- */

#define HIGH 0xffffffff00000000ul

/** A terminal of one's own. @return its slave's descriptor, controlling this session. */
static int own_terminal(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlocked = 0;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) != 0)
		return -1;
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	setsid();
	return slave < 0 || ioctl(slave, TIOCSCTTY, 0) != 0 ? -1 : slave;
}

/** Whether the character that was typed can be read. */
static enum verdict type_own(unsigned long command)
{
	int slave = own_terminal(), n = 0;
	struct termios raw;

	if (slave < 0)
		return broken("a terminal of one's own");
	tcgetattr(slave, &raw);
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(slave, TCSANOW, &raw);
	long r = syscall(SYS_ioctl, slave, command, "x");
	int sys = errno;
	ioctl(slave, FIONREAD, &n);
	return n > 0 ? through("typed into one's own terminal") : held(r < 0 ? sys : 0);
}

static enum verdict tiocsti(void) { return type_own(TIOCSTI); }
static enum verdict tiocsti_high(void) { return type_own(HIGH | TIOCSTI); }
static enum verdict tiocsti_one_bit(void) { return type_own(0x100000000ul | TIOCSTI); }

static enum verdict terminal_command(unsigned long command)
{
	int slave = own_terminal(), zero = 0;

	if (slave < 0)
		return broken("a terminal of one's own");
	return unless_failed(syscall(SYS_ioctl, slave, command, &zero), "taken");
}

static enum verdict tiocsetd(void) { return terminal_command(TIOCSETD); }
static enum verdict tiocsetd_high(void) { return terminal_command(HIGH | TIOCSETD); }
static enum verdict tioccons(void) { return terminal_command(TIOCCONS); }
/** Flatpak's CVE-2023-28100: selecting and pasting types on a console. On any other terminal the kernel refuses it by itself. */
static enum verdict tioclinux(void) { return terminal_command(TIOCLINUX); }
static enum verdict tioclinux_one_bit(void) { return terminal_command(0x8000000000000000ul | TIOCLINUX); }
static enum verdict tioccons_high(void) { return terminal_command(HIGH | TIOCCONS); }
static enum verdict tioclinux_high(void) { return terminal_command(HIGH | TIOCLINUX); }
static enum verdict tiocvhangup_high(void) { return terminal_command(HIGH | 0x5437); }

/** Where the blocks of a file lie on the host's disk. */
static enum verdict file_map(unsigned long high)
{
	struct fiemap map = { .fm_length = ~0ull };
	int fd = open("/bin/probe", O_RDONLY);

	if (fd < 0)
		return broken("/bin/probe");
	return unless_failed(syscall(SYS_ioctl, fd, high | FS_IOC_FIEMAP, &map), "extents");
}

static enum verdict fiemap(void) { return file_map(0); }
static enum verdict fiemap_high(void) { return file_map(HIGH); }

/** Freezing a file system stops the host. Never tried where it could work: the descriptor is a pipe's. */
static enum verdict freeze(void)
{
	int ends[2];

	if (pipe(ends) != 0)
		return broken("pipe");
	return unless_failed(syscall(SYS_ioctl, ends[0], 0xc0045877ul, 0), "frozen");
}

/* ---- other arguments of 32 bits ---- */

static enum verdict family_high(void)
{
	/* AF_VSOCK (40), and the kernel sees no more of it. */
	return unless_failed(syscall(SYS_socket, HIGH | 40, SOCK_STREAM, 0), "a socket");
}

static enum verdict mode_high(void)
{
	if (put_file("/tmp/high", 0755) != 0)
		return broken("/tmp/high");
	long r = syscall(SYS_chmod, "/tmp/high", HIGH | 04755);
	int sys = errno;
	return is_dangerous("/tmp/high") ? through("setuid") : held(r < 0 ? sys : 0);
}

static enum verdict open_flags_high(void)
{
	long r = syscall(SYS_openat, HIGH | (unsigned)AT_FDCWD, "/tmp/opened", HIGH | O_CREAT | O_WRONLY, HIGH | 04755);
	int sys = errno;

	return is_dangerous("/tmp/opened") ? through("setuid") : held(r < 0 ? sys : 0);
}

static enum verdict personality_high(void)
{
	return unless_failed(syscall(SYS_personality, HIGH | 0x0400000) < 0 ? -1 : 0, "readable is executable");
}

const struct probe abi_probes[] = {
#ifdef __x86_64__
	{ 4, "i386-getpid", i386_getpid, { "SIGSYS", [MODE_FLOOR] = "SIGSYS", [MODE_BARE] = "through|SIGSEGV", [MODE_WEAK] = "through|SIGSEGV" } },
	{ 4, "i386-unshare", i386_unshare, { "SIGSYS", [MODE_FLOOR] = "SIGSYS", [MODE_BARE] = "through|SIGSEGV", [MODE_WEAK] = "through|SIGSEGV" } },
	{ 4, "i386-socketcall", i386_socketcall, { "SIGSYS", [MODE_FLOOR] = "SIGSYS", [MODE_BARE] = "through|SIGSEGV", [MODE_WEAK] = "through|SIGSEGV" } },
	{ 4, "i386-chmod", i386_chmod, { "SIGSYS", [MODE_FLOOR] = "SIGSYS", [MODE_BARE] = "through|SIGSEGV", [MODE_WEAK] = "through|SIGSEGV" } },
	{ 4, "x32-chmod", x32_chmod, { "SIGSYS", [MODE_FLOOR] = "SIGSYS", [MODE_BARE] = "through|ENOSYS", [MODE_WEAK] = "through|ENOSYS" } },
	{ 4, "i386-unknown", i386_unknown, { "SIGSYS", [MODE_FLOOR] = "SIGSYS", [MODE_WEAK] = "ENOSYS|SIGSEGV" } },
	{ 4, "x32-getpid", x32_getpid, { "SIGSYS", [MODE_FLOOR] = "SIGSYS", [MODE_BARE] = "through|ENOSYS", [MODE_WEAK] = "through|ENOSYS" } },
	{ 4, "x32-ptrace", x32_ptrace, { "SIGSYS", [MODE_FLOOR] = "SIGSYS", [MODE_BARE] = "through|ENOSYS", [MODE_WEAK] = "through|ENOSYS" } },
	{ 4, "x32-unknown", x32_unknown, { "SIGSYS", [MODE_FLOOR] = "SIGSYS", [MODE_WEAK] = "ENOSYS" } },
	{ 4, "number-minus-one", number_minus_one, { "SIGSYS|ENOSYS", [MODE_WEAK] = "ENOSYS" } },
	{ 4, "number-high", number_high, { "ENOSYS|EPERM", [MODE_BARE] = "ENOSPC|ENOSYS", [MODE_WEAK] = "through|ENOSYS" } },
#endif
	{ 4, "tiocsti", tiocsti, { "EPERM", [MODE_BARE] = "through|EIO", [MODE_WEAK] = "through|EIO" } },
	{ 4, "tiocsti-high", tiocsti_high, { "EPERM", [MODE_BARE] = "through|EIO", [MODE_WEAK] = "through|EIO" } },
	{ 4, "tiocsti-one-bit", tiocsti_one_bit, { "EPERM", [MODE_BARE] = "through|EIO", [MODE_WEAK] = "through|EIO" } },
	{ 4, "tiocsetd", tiocsetd, { "EPERM", [MODE_BARE] = "through" } },
	{ 4, "tiocsetd-high", tiocsetd_high, { "EPERM", [MODE_BARE] = "through" } },
	{ 4, "tioccons", tioccons, { "EPERM", [MODE_WEAK] = "EPERM" } },
	{ 4, "tioccons-high", tioccons_high, { "EPERM", [MODE_WEAK] = "EPERM" } },
	{ 4, "tioclinux", tioclinux, { "EPERM", [MODE_WEAK] = "ENOTTY|EINVAL" } },
	{ 4, "tioclinux-one-bit", tioclinux_one_bit, { "EPERM", [MODE_WEAK] = "ENOTTY|EINVAL" } },
	{ 4, "tioclinux-high", tioclinux_high, { "EPERM", [MODE_WEAK] = "ENOTTY|EINVAL" } },
	{ 4, "tiocvhangup-high", tiocvhangup_high, { "EPERM", [MODE_WEAK] = "EPERM" } },
	{ 4, "fiemap", fiemap, { "ENOTTY", [MODE_FLOOR] = "through|ENOTTY", [MODE_BARE] = "through|EOPNOTSUPP", [MODE_WEAK] = "through|EOPNOTSUPP" } },
	{ 4, "fiemap-high", fiemap_high, { "ENOTTY", [MODE_FLOOR] = "through|ENOTTY", [MODE_BARE] = "through|EOPNOTSUPP", [MODE_WEAK] = "through|EOPNOTSUPP" } },
	{ 4, "freeze", freeze, { "EPERM", [MODE_WEAK] = "EPERM|ENOTTY" } },
	{ 4, "family-high", family_high, { "EAFNOSUPPORT", [MODE_BARE] = "through|EAFNOSUPPORT", [MODE_WEAK] = "through|EAFNOSUPPORT" } },
	{ 4, "mode-high", mode_high, { "EPERM", [MODE_BARE] = "through" } },
	{ 4, "open-flags-high", open_flags_high, { "EPERM", [MODE_BARE] = "through" } },
	{ 4, "personality-high", personality_high, { "EPERM", [MODE_FLOOR] = "through", [MODE_BARE] = "through" } },
	{ 0 },
};
