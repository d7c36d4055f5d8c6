/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file supervisor.h
 * `faults`: runs glovebox as it is, and makes its Nth system call of a kind fail, stop short or be its last one. By ptrace(2) and a seccomp
 * filter that stops at the calls of a table and at no others: it works on static programs, on calls that libc hides, and costs
 * little. What steps run is left alone; so is the dynamic loader, whose failures are not ours to tell.
 *
 *     main.c     arguments, the loop around waitpid(2), the report
 *     calls.c    which calls there are, and which faults may befall each
 *     tracee.c   what is known of each process, and how a call of it is seen and changed
 */
#ifndef GB_FAULT_SUPERVISOR_H
#define GB_FAULT_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- calls.c ---------------------------------------------------------------- */

/** What may befall a call. Each is counted by itself. */
enum fault {
	FAULT_ROOM,    /**< ENOSPC, EDQUOT: it would take room */
	FAULT_CHANGE,  /**< EROFS: it would change a file system */
	FAULT_FILE,    /**< EIO: it is about a file */
	FAULT_FD,      /**< EMFILE: it would give a descriptor */
	FAULT_MEMORY,  /**< ENOMEM: it would give memory */
	FAULT_SIGNAL,  /**< EINTR: it may wait, and a signal may end that */
	FAULT_SHORT,   /**< it may do less than it is asked for */
	FAULT_KILL,    /**< kill -9: any of the table */
	FAULTS
};

/** How the fault is called in arguments and reports: "EIO", "short", "kill"; NULL at the end of the list. */
struct fault_name {
	const char *name;
	enum fault fault;
	int sys;       /**< errno, or 0 */
};
extern const struct fault_name fault_names[];

/** A row of the table. */
struct call {
	int nr;
	const char *name;
	unsigned faults;   /**< bits 1 << FAULT_… */
	signed char fd;    /**< which argument is a descriptor that must be a file's for FILE and SHORT; -1: none */
	signed char path;  /**< which is a path, for the report; -1: none */
	signed char flags; /**< which has open flags: without O_CREAT there is no ROOM, without writing no CHANGE; -1: none */
};
extern const struct call calls[];
extern const size_t ncalls;
const struct call *call_find(long nr);
const struct call *call_by_name(const char *name, size_t n);

/* ---- tracee.c ---------------------------------------------------------------- */

/** A process, or a thread of one. */
struct tracee {
	pid_t pid;                  /**< 0: none */
	bool ours;                  /**< it runs one of the programs under test */
	bool held;                  /**< has stopped at its start, and waits for its parent's word */
	uint64_t loader, loader_end; /**< where the dynamic loader lies */
	enum { AT_END_NOTHING, AT_END_RESTORE, AT_END_BLANK } at_end; /**< what to do at the end of the call that it is in: */
	unsigned arg;               /**< RESTORE: this argument's register */
	uint64_t value;             /**< to this; BLANK: where the directory entries are */
};

/** Tells the programs under test: @p program, and the same with "-engine". */
void tracee_programs(const char *program);
/** NULL when it is not known. */
struct tracee *tracee_find(pid_t pid);
struct tracee *tracee_add(pid_t pid);
void tracee_forget(pid_t pid);
/** Looks at what it runs now, after an exec. */
void tracee_look(struct tracee *t);

/** A call that is about to be made. */
struct seen {
	long nr;
	uint64_t arg[6], ip;
};
bool seen_get(pid_t pid, struct seen *ret);
/** The call is not made; its answer is @p result. */
void seen_answer(pid_t pid, long result);
/** It is made with another argument; whoever made it must find his own in the register again. */
void seen_change(pid_t pid, unsigned arg, uint64_t value);
/** Whether a descriptor of it is a file's, or at least @p or_pipe a pipe's. */
bool tracee_fd_is_file(pid_t pid, int fd, bool or_pipe);
/** Tells where files stand for those of a disk, on whatever they are: on the file system of @p dir. */
void tracee_disk(const char *dir);
/** Whether so many bytes are written to it, or any read (UINT64_MAX), at once or not at all: files of the kernel's own, and less than a page
 *  in memory. */
bool tracee_fd_is_whole(pid_t pid, int fd, uint64_t size);
/** Reads a string of it; "" where that cannot be. */
void tracee_string(pid_t pid, uint64_t at, char *ret, size_t size);
/** Forgets the types in the directory entries that a getdents64 has just put to @p at. */
void tracee_blank_types(pid_t pid, uint64_t at, size_t n);

#endif
