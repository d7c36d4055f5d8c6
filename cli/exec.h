/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file exec.h
 * Private to cli/: one command in the box, for `exec` and `profile learn`.
 */
#ifndef GB_CLI_EXEC_H
#define GB_CLI_EXEC_H

#include "cli/cli.h"

/** The options that say what the box is like, for both tables; all but the profile. */
#define EXEC_BOX_OPTIONS \
	{ "rootfs", "REF", "the root filesystem: NAME, NAME@sha256:…, sha256:…, or oci:…@sha256:… once imported" }, \
	{ "network", "NET", "none (default) or loopback", .words = "none loopback" }, \
	{ "ro", "SRC:DST", "a snapshot of directory SRC, read-only at DST", true }, \
	{ "rw", "SRC:DST", "the live directory SRC, writable at DST; recorded as such", true }, \
	{ "output", "PATH=DIR", "an empty writable directory at PATH; what is in it in the end becomes DIR", true }, \
	{ "env", "K=V", "add to the environment", true }, \
	{ "workdir", "D", "where the command starts (default /)" }, \
	{ "timeout", "TIME", "end it after this time, with code 124" }, \
	OPT_GRACE, \
	{ "memory", "B", "at most B bytes of memory and swap; needs a cgroup" }, \
	{ "cpus", "N", "the time of N processors, such as 1.5; needs a cgroup" }, \
	{ "pids", "N", "at most N processes and threads (default 4096)" }, \
	{ "files", "N", "at most N open files in one process (default 4096)" }, \
	{ "file-size", "B", "no file larger than B bytes (default 64Gi)" }, \
	{ "tmp-size", "B", "at most B bytes in /tmp, /dev/shm and home together (default 1Gi)" }, \
	{ "work-size", "B", "at most B bytes in the places of --output (default 32Gi)" }, \
	{ "work-files", "N", "at most N files and directories there (default 1000000)" }, \
	{ "output-size", "B", "at most B bytes of output and errors together (default 4Gi)" }, \
	{ "limits", "MODE", "enforce (default), or best-effort: a limit that cannot be enforced is passed over, and recorded so", .words = "enforce best-effort" }, \
	{ "receipt", "FILE", "write what was in force, and how it ended, as JSON" }

/** Runs args->rest as those options say. The caller has set profile, relay and learn of @p opt; the rest is filled in here.
 *  *ret_code: the command's, as glovebox-exec(1) has it. */
int cli_exec(const struct args *args, struct exec_options *opt, int *ret_code, struct err *err);

#endif
