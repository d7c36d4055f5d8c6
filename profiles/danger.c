/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/danger.h"

#include <stdbool.h>
#include <string.h>

#include "base/own.h"

/** Calls, in words set apart by blanks, and what each of them opens. */
static const struct { const char *names, *opens; } calls[] = {
	{ "mount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr",
	  "the tree of mounts: another root, file systems that uncover what is masked or make read-only places writable, and the kernel's "
	  "parsers of file systems" },
	{ "unshare setns",
	  "other namespaces: new ones with all capabilities in them, and with these most of the kernel's attack surface; or those of "
	  "another process" },
	{ "clone3", "new namespaces: its flags lie in memory, where no filter sees them; libc falls back to clone when it hears ENOSYS" },
	{ "openat2", "files with the setuid bit: its mode lies in memory, where no filter sees it; callers fall back to openat when they hear ENOSYS" },
	{ "ptrace", "other processes of the step: their memory, registers and calls; a traced process says what its tracer wants" },
	{ "process_vm_readv process_vm_writev", "the memory of other processes" },
	{ "pidfd_getfd", "the open files of other processes" },
	{ "kcmp", "whether processes share kernel objects, by which the order of kernel addresses is found out" },
	{ "process_madvise process_mrelease migrate_pages move_pages", "the memory of other processes: where it lies, and whether it stays" },
	{ "bpf", "programs that run inside the kernel; their verifier is one of its most attacked parts" },
	{ "perf_event_open", "the kernel's performance events: timings of what else runs on the machine, and a long row of kernel holes" },
	{ "userfaultfd", "holding the kernel up in the middle of a copy from memory, which turns its races into sure holes" },
	{ "io_uring_setup io_uring_enter io_uring_register",
	  "calls that no filter sees: what is asked for in a ring passes by seccomp, and the code behind it has had hole after hole" },
	{ "keyctl add_key request_key", "the kernel's keyrings, which no namespace divides: the host's keys, and a channel to other steps" },
	{ "kexec_load kexec_file_load", "putting another kernel in the place of this one" },
	{ "init_module finit_module delete_module", "code of one's own inside the kernel" },
	{ "reboot", "ending or restarting the machine" },
	{ "syslog", "the kernel's log, with addresses and names of the host in it" },
	{ "acct", "a log of all processes, written by the kernel to a file of one's choice" },
	{ "open_by_handle_at name_to_handle_at", "files by their number on the disk, past every check of paths: the way out of a container's root" },
	{ "fanotify_init fanotify_mark", "hearing of, and holding up, what other processes do with files" },
	{ "lookup_dcookie", "paths of files by numbers that profilers use" },
	{ "quotactl quotactl_fd swapon swapoff nfsservctl", "the host's disks: quotas, swap, exports" },
	{ "sethostname setdomainname", "the name of the host, as others see it" },
	{ "settimeofday clock_settime adjtimex clock_adjtime", "the host's clock, which no namespace divides" },
	{ "ioperm iopl", "the machine's ports" },
	{ "modify_ldt", "segments of one's own, which the kernel's entry code has stumbled over again and again" },
	{ "memfd_secret", "memory that not even the host's root can look at" },
	{ "vmsplice", "pages that are shared with a pipe and change after they were checked" },
	{ "vhangup uselib ustat sysfs _sysctl", "relics of the kernel that nobody looks after" },
	{ "setxattr lsetxattr fsetxattr setxattrat", "extended attributes: file capabilities and overlayfs's own marks are made of them" },
};

/** Arguments: (arg & mask) is value, or has any bit where value is ANY. */
static const struct danger {
	const char *name;
	unsigned index;
	uint64_t mask, value;
	const char *opens;
} arguments[] = {
#define INT 0xffffffffull
#define ANY ~0ull
#define SETID 06000ull
#define SETID_OPENS "files with the setuid or setgid bit, which run with their owner's rights wherever they end up"
	{ "clone", 0, 0x7e020080, ANY, "a new namespace (CLONE_NEW*), with all capabilities in it, and with these most of the kernel's attack surface" },
	{ "ioctl", 1, INT, 0x5412, "typing into the terminal that it was started from (TIOCSTI): commands for the caller's shell" },
	{ "ioctl", 1, INT, 0x541c, "pasting into the console (TIOCLINUX): commands for the caller's shell" },
	{ "ioctl", 1, INT, 0x541d, "taking the console's output over (TIOCCONS)" },
	{ "ioctl", 1, INT, 0x5423, "loading a line discipline of the kernel (TIOCSETD), an old source of holes" },
	{ "ioctl", 1, INT, 0x5437, "hanging a terminal up (TIOCVHANGUP)" },
	{ "ioctl", 1, INT, 0xc0045877, "freezing a file system (FIFREEZE)" },
	{ "ioctl", 1, INT, 0x40806685, "sealing a file so that it cannot be removed (FS_IOC_ENABLE_VERITY)" },
	{ "ioctl", 1, INT, 0xc0506617, "keys of the kernel's (FS_IOC_ADD_ENCRYPTION_KEY)" },
	{ "ioctl", 1, INT, 0xc020660b, "where on the host's disk a file lies (FIEMAP)" },
	{ "ioctl", 1, INT, 0xc0c0583b, "what lies where on the host's disk (GETFSMAP)" },
	{ "socket", 0, INT, 16, "netlink: configuration and events of the network, of audit and of devices; only NETLINK_ROUTE is needed by programs" },
	{ "socket", 0, INT, 17, "packets as they are on the wire (AF_PACKET)" },
	{ "socket", 0, INT, 15, "the kernel's IPsec keys (AF_KEY)" },
	{ "socket", 0, INT, 31, "the machine's Bluetooth (AF_BLUETOOTH)" },
	{ "socket", 0, INT, 38, "the kernel's ciphers (AF_ALG), a rarely looked at part with many holes" },
	{ "socket", 0, INT, 40, "the hypervisor and its other guests (AF_VSOCK): no network namespace cuts that off" },
	{ "socket", 0, INT, 44, "the network's rings in shared memory (AF_XDP)" },
	{ "socket", 1, 0xf, 3, "raw packets (SOCK_RAW)" },
	{ "prctl", 0, INT, 35, "the layout of the process as /proc tells it (PR_SET_MM)" },
	{ "prctl", 0, INT, 57, "going on where memory is short (PR_SET_IO_FLUSHER)" },
	{ "prctl", 0, INT, 62, "who shares a processor's core with whom (PR_SCHED_CORE)" },
	{ "personality", 0, 0x500000, ANY, "memory that is executable unasked, or mapped at address 0 (READ_IMPLIES_EXEC, MMAP_PAGE_ZERO)" },
	{ "fcntl", 1, INT, 1024, "holding up whoever opens the file (F_SETLEASE); files of the rootfs are those of other steps too" },
	{ "fcntl", 1, INT, 1026, "hearing of what others do in a directory (F_NOTIFY)" },
	{ "seccomp", 1, 8, 8, "answering for the kernel to processes below it (SECCOMP_FILTER_FLAG_NEW_LISTENER)" },
	{ "chmod", 1, SETID, ANY, SETID_OPENS }, { "fchmod", 1, SETID, ANY, SETID_OPENS },
	{ "fchmodat", 2, SETID, ANY, SETID_OPENS }, { "fchmodat2", 2, SETID, ANY, SETID_OPENS },
	{ "creat", 1, SETID, ANY, SETID_OPENS }, { "mkdir", 1, SETID, ANY, SETID_OPENS }, { "mkdirat", 2, SETID, ANY, SETID_OPENS },
	{ "open", 2, SETID, ANY, SETID_OPENS }, { "openat", 3, SETID, ANY, SETID_OPENS },
	{ "mknod", 1, SETID, ANY, SETID_OPENS }, { "mknodat", 2, SETID, ANY, SETID_OPENS },
	{ "mknod", 1, 0170000, 0020000, "device nodes" }, { "mknod", 1, 0170000, 0060000, "device nodes" },
	{ "mknodat", 2, 0170000, 0020000, "device nodes" }, { "mknodat", 2, 0170000, 0060000, "device nodes" },
	{ "renameat2", 4, 4, 4, "a character device that a rename leaves behind (RENAME_WHITEOUT)" },
	{ "setpriority", 1, INT, 1, "how soon the sandbox's init, process 1, gets to run" },
	{ "prlimit64", 0, INT, 1, "the limits of the sandbox's init, process 1" },
};

/** Whether @p name is one of the words. */
static bool has_word(const char *words, const char *name)
{
	size_t n = strlen(name);

	while (n > 0 && *words != '\0') {
		size_t len = strcspn(words, " ");

		if (len == n && memcmp(words, name, n) == 0)
			return true;
		words += len + (words[len] == ' ');
	}
	return false;
}

const char *danger_of_call(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (has_word(calls[i].names, name))
			return calls[i].opens;
	return NULL;
}

const char *danger_of_args(const char *name, const uint64_t args[6])
{
	for (size_t i = 0; i < ARRAY_LEN(arguments); i++) {
		const struct danger *d = &arguments[i];
		uint64_t masked = args[d->index] & d->mask;

		if (strcmp(d->name, name) == 0 && (d->value == ANY ? masked != 0 : masked == d->value))
			return d->opens;
	}
	return NULL;
}

const char *danger_nth(const char *name, size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(arguments); k++)
		if (strcmp(arguments[k].name, name) == 0 && i-- == 0)
			return arguments[k].opens;
	return NULL;
}
