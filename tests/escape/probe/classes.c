/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of attack each probe is. A class is known by the holes that were found in others; a class without a probe would be a hole that
 * nobody looks for. */
#include "probe.h"

#include <stdio.h>
#include <string.h>

const struct probe_class probe_classes[] = {
	{ "leaked-descriptors", "descriptors and a working directory of whoever starts it (CVE-2024-21626)", false,
	  " leaked-fd leaked-fd-listed leaked-directory out-by-descriptor descriptor-by-path stdin-not-null workdir-is-a-descriptor workdir-is-a-link " },
	{ "own-program", "the sandbox's own program by /proc/PID/exe (CVE-2019-5736)", false,
	  " own-exe exe-reopened foreign-exe init-exe init-exe-write init-task through-proc-fd command-is-own-program interpreter-is-own-program " },
	{ "aimed-mounts", "links of the root filesystem as mount points (CVE-2019-19921, CVE-2021-30465, CVE-2023-27561)", false,
	  " proc-is-a-link dev-is-a-link sys-is-a-link tmp-is-a-link etc-is-a-link home-is-a-link dev-leads-to-the-host passwd-is-a-link"
	  " target-is-a-link target-below-a-link target-leads-to-the-host target-by-proc " },
	{ "masked-paths", "what covers paths of /proc and /sys, taken off, gone round or written to (CVE-2025-31133, CVE-2025-52881)", false,
	  " masked masked-directories round-a-mask unmount-mask unmount-proc another-proc mount-proc write-a-mask null-is-a-link label-of-self"
	  " core-pattern sysrq modprobe-path binfmt-register uevent-helper shm-sysctl hostname-sysctl proc-writable keys-listed " },
	{ "terminal", "typing into a terminal, TIOCSTI, TIOCLINUX, high bits of either (CVE-2017-5226, CVE-2019-10063, CVE-2023-28100)", false,
	  " stdio-terminal controlling-terminal terminal-type session-shared terminals-of-others tiocsti tiocsti-high tiocsti-one-bit tioclinux"
	  " tioclinux-high tioclinux-one-bit tiocsetd tiocsetd-high tioccons tioccons-high tiocvhangup-high " },
	{ "keyrings", "the kernel's keys, which no namespace divides", false,
	  " session-key plant-key request-key user-keyring process-keyring persistent-keyring keyctl-high keyctl-session " },
	{ "abstract-sockets", "abstract sockets, and descriptors passed through them (CVE-2020-15257)", false,
	  " abstract-host abstract-descriptor abstract-listed abstract-datagram socket-list " },
	{ "alg-and-vsock", "AF_ALG, AF_VSOCK and other families with a history (CVE-2019-8912, CVE-2021-26708)", false,
	  " alg alg-pair alg-high socket-by-ring vsock vsock-seqpacket vsock-datagram vsock-one-bit vsock-device vsock-host family-high packet xdp"
	  " icmp-raw inet-odd-types netlink-others netlink-audit netlink-uevent netlink-netfilter " },
	{ "io-uring", "calls that no filter sees (CVE-2023-2598)", false, " io-uring io-uring-polled io-uring-enter io-uring-register " },
	{ "userfaultfd", "faults that one answers oneself, by which races are won", false, " userfault userfault-kernel userfault-device " },
	{ "setuid-files", "setuid, setgid, devices and file capabilities, by every call that makes or changes a file", false,
	  " creat-mode open-mode openat-mode openat2-mode mknod-regular mknodat-regular mknod-fifo mkdir-mode mkdirat-mode chmod-setuid chmod-setgid"
	  " chmod-shm chmod-home chmod-live chmod-output fchmodat-mode fchmod-mode fchmodat2-mode fchmodat2-empty memory-file directory-setgid"
	  " given-again setuid-linked chmod-by-proc nameless umask-tricks socket-mode moved-in setuid-by-ring mode-high open-flags-high"
	  " character-device block-device high-type whiteout rename-whiteout set-capability fset-capability setat-capability overlay-mark"
	  " file-attributes give-away own-setuid-shell setuid-came-in file-capability-came-in " },
	{ "namespaces", "namespaces of one's own, and with them the kernel's privileged surface (CVE-2022-0185)", false,
	  " unshare-user unshare-mount unshare-net unshare-pid unshare-uts unshare-ipc unshare-cgroup unshare-time unshare-all clone-each clone-user"
	  " clone-user-high clone3-user setns-own setns-pidfd namespace-of-init number-high " },
	{ "mounts", "mounts, other roots, and files by their handles (CVE-2022-0492, \"shocker\")", false,
	  " mount-tmpfs mount-bind mount-cgroup mount-overlay remount-writable open-tree-clone fsopen fspick fsconfig fsmount move-mount mount-setattr"
	  " chroot pivot-root handle-of-file handle-of-process shocker dot-dot beside-the-root " },
	{ "kernel-controls", "programs in the kernel, its modules, clocks, log, hardware (CVE-2021-3490)", false,
	  " bpf-map perf-self memory-secret set-hostname set-domainname set-clock set-time-of-day adjust-clock kernel-log seccomp-listener"
	  " personality-exec personality-high prctl-mm take-lease kexec-load kexec-file-load init-module finit-module delete-module"
	  " reboot swapon swapoff quotactl quotactl-fd accounting fanotify vhangup lookup-dcookie iopl ioperm modify-ldt old-sysctl ustat uselib"
	  " fiemap fiemap-high freeze " },
	{ "foreign-abis", "the kernel's other doors, i386 and x32 (CVE-2014-0038)", false,
	  " i386-getpid i386-unshare i386-socketcall i386-chmod i386-unknown x32-getpid x32-ptrace x32-chmod x32-unknown number-minus-one " },
	{ "other-processes", "memory, descriptors and scheduling of other processes, of the box's init above all (CVE-2016-9962)", false,
	  " trace-child trace-me trace-init seize-init read-child read-init write-child fd-of-child fd-of-init compare-child compare-init advise-child"
	  " release-child pages-of-child migrate-child limit-init idle-init pin-init renice-init init-memory init-memory-write init-environ init-cmdline"
	  " init-maps init-auxv init-syscall init-stack init-root init-cwd init-fds init-map-files init-namespace init-fdinfo oom-of-init oom-of-self"
	  " name-of-init memory-of-self foreign-process host-memory " },
	{ "privilege", "capabilities, ids, no_new_privs (CVE-2022-29162)", false,
	  " capability-sets raise-capabilities ambient-capability keep-capabilities set-securebits no-new-privs unset-no-new-privs other-uid other-gid"
	  " other-groups map-ids mount-flags seccomp-off seccomp-replace " },
	{ "caller-state", "environment, signals, limits and scheduling of whoever starts it", false,
	  " environment-leftover blocked-signals ignored-signals umask-kept limits-kept affinity-kept scheduler-kept io-class-kept personality-kept"
	  " timer-slack-kept huge-pages-kept " },
	{ "network", "the host's network", false,
	  " interface-up other-interface route bring-up path-sockets tcp-host dns-query resolver tunnel " },
	{ "files", "writing where nothing was given to write, and devices", false,
	  " write-everywhere write-etc write-bin write-root write-dev write-snapshot change-null other-devices devices-by-name " },
	{ "host-facts", "paths and places of the host", false,
	  " host-path-mountinfo host-path-mounts host-path-proc host-path-links host-path-others cgroup-place " },
	{ "outliving", "a first process that can be ended or stopped from inside", false,
	  " kill-init stop-init all-signals-to-init queue-to-init pidfd-to-init parent-of-init into-a-group subreaper outside-parent " },
	{ "limits", "limits that can be raised or are none", false,
	  " fork-bomb open-many raise-processes raise-files raise-file-size raise-core huge-file fill-tmp fill-shm fill-home core-dump be-nicer real-time"
	  " lock-memory huge-pages " },
	{ "house-rules", "what glovebox's own profiles answer, or permit", true,
	  " environment more-ids clone3-plain openat2 unknown-numbers newest-calls refusals old-aio message-queue numa-policy unix-socket inet-stream"
	  " inet6-datagram netlink-route every-family every-pair own-loopback host-files " },
	{ 0 },
};

const struct probe_class *class_of(const char *probe)
{
	char word[80];

	snprintf(word, sizeof word, " %s ", probe);
	for (const struct probe_class *c = probe_classes; c->name != NULL; c++)
		if (strstr(c->probes, word) != NULL)
			return c;
	return NULL;
}

static int about(void)
{
	for (const struct probe_class *c = probe_classes; c->name != NULL; c++)
		printf("%s\t%s\t%s\n", c->name, c->house ? "house" : "attack", c->about);
	return 0;
}

int classes_main(int argc, char **argv)
{
	if (argc > 0 && strcmp(argv[0], "about") == 0)
		return about();
	for (const struct probe_class *c = probe_classes; c->name != NULL; c++)
		for (const char *at = c->probes; *(at += strspn(at, " ")) != '\0'; at += strcspn(at, " "))
			printf("%s %.*s\n", c->name, (int)strcspn(at, " "), at);
	return 0;
}
