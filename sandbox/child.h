/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file child.h
 * The child, between clone and exec: tables of {stage, function} of raw system
 * calls. The first failure is one note {stage, errno, index, part} to the parent,
 * and exit. No malloc, no stdio, no locks, in any function declared here.
 */
#ifndef GB_SANDBOX_CHILD_H
#define GB_SANDBOX_CHILD_H

#include "sandbox/plan.h"

/** What was being done. host.c has a sentence for each. */
enum stage {
	STAGE_NONE,
	STAGE_JOIN,      /**< entering the space's namespaces */
	STAGE_CLONE,     /**< making the namespaces */
	STAGE_DETACH,    /**< letting go of the caller: descriptors, signals, session */
	STAGE_IDS,       /**< id maps, becoming the inner user */
	STAGE_CGROUP,    /**< waiting to be put into a cgroup, and hiding it */
	STAGE_MOUNT_NS,  /**< a mount namespace, private */
	STAGE_TMPFS,     /**< the skeleton's tmpfs */
	STAGE_SKELETON,  /**< filling it; index: plan.makes */
	STAGE_ROOT,      /**< the new root: an overlay of skeleton and rootfs; part */
	STAGE_MOUNTS,    /**< index: plan.rows; part */
	STAGE_PIVOT,     /**< leaving the old root */
	STAGE_HOSTNAME,
	STAGE_LOOPBACK,
	STAGE_KEYRING,
	STAGE_CAPS,      /**< capabilities, securebits, no_new_privs */
	STAGE_HIDE,      /**< making init unreadable */
	STAGE_FORK,      /**< starting the command's process */
	STAGE_SESSION,   /**< the command's session and what it inherits */
	STAGE_STDIO,
	STAGE_WORKDIR,
	STAGE_LIMITS,    /**< index: plan.limits */
	STAGE_LANDLOCK,
	STAGE_SECCOMP,
	STAGE_EXEC,
	STAGE_ANSWER,    /**< giving one of the step's processes another clock or order of directories */
	STAGE_HANDOVER,  /**< a space: passing its descriptors to the maker */
};

/** Which part of a stage failed. */
enum part {
	PART_NONE,
	PART_SOURCE,  /**< opening what is to be mounted */
	PART_FS,      /**< making the file system or the copy of a mount */
	PART_TARGET,  /**< opening the mount point */
	PART_ATTACH,
	PART_NESTING, /**< forbidding user namespaces below this one */
	PART_VIEW,
	PART_MAP,     /**< STAGE_IDS: writing a map */
	PART_BECOME,  /**< STAGE_IDS: taking the ids on */
	PART_OOM,     /**< STAGE_IDS: oom_score_adj */
};

enum note_kind {
	NOTE_FAIL,  /**< stage, part, index, code = errno; the child ends */
	NOTE_VIEW,  /**< with one descriptor */
	NOTE_SPACE, /**< with three: trees, user namespace, mount namespace */
	NOTE_EXEC,  /**< exec failed: code = errno */
	NOTE_EXIT,  /**< the command exited: code, usage */
	NOTE_SIGNAL, /**< the command was killed: code = signal, usage */
	NOTE_REFUSED, /**< the first time that a call was refused by the filter: code = its number, args */
	NOTE_TERMINAL, /**< with one descriptor: the master of the command's terminal */
	NOTE_LISTENER, /**< with one descriptor: the listener of a command that is learnt from */
	NOTE_DEAF,   /**< the filter's refusals are not told: another listener is above (EBUSY), or limit files too low for one (EMFILE) */
};

/** One message from child to parent, on a SOCK_SEQPACKET pair. */
struct note {
	int32_t kind, stage, part, index, code;
	int32_t left;      /**< NOTE_EXIT, NOTE_SIGNAL: how many processes the command has left behind */
	int32_t full;      /**< and whether the tmpfs was full when it failed: enum full */
	int32_t pad;
	uint64_t user_us, sys_us, max_rss_kib;
	uint64_t args[6];
};

/** What there is no more of in the step's tmpfs. */
enum full { FULL_NOTHING, FULL_BYTES, FULL_INODES };

#define NOTE_FDS_MAX 3

/** One byte from parent to child. */
enum order {
	ORDER_GO = 'g',   /**< STAGE_CGROUP: it is in its cgroup */
	ORDER_TERM = 't', /**< SIGTERM to all */
};

/** What the child knows; on its own stack. */
struct child {
	const struct plan *plan;
	int index, part;  /**< for the note of a failure */
	int tmpfs;        /**< top of the skeleton */
	int root;         /**< the new root */
	int base, rootfs, trees;
	int sock;             /**< to the parent */
	int oom;              /**< init's own oom_score_adj: opened while init may; -1 in a space */
	int listener;         /**< refusals of the command's filter; -1: none */
	bool answers;         /**< init was let into a process of the command's once */
	bool winds;           /**< and could give one another clock */
	int proc;             /**< a /proc of init's own, that can be written to: for who answers; -1: none */
	int refused[SANDBOX_REFUSED_MAX]; /**< numbers of calls that were told of */
	size_t nrefused;
	char oom_before[16];  /**< what it was */
};

typedef int stage_fn(struct child *c);

struct stage_row {
	enum stage stage;
	stage_fn *fn;
};

/** Runs rows in order. @return 0, or -1 after filling @p note with the first failure. */
int child_stages(struct child *c, const struct stage_row *rows, size_t n, struct note *note);
/** Sends a note with @p nfds descriptors. A parent that is gone is no error: the child is being killed. */
void child_send(const struct child *c, const struct note *note, const int *fds, size_t nfds);
/** All of the child's life: stages, then init or keeper. Returns only to be ended by the caller's exit:
 *  no function here is noreturn, so that sanitizers do not take the cloned stack for their own. */
void child_run(const struct plan *plan);

/** Closes every descriptor but @p n of them, given in ascending order. */
int child_close_others(const int *keep, size_t n);

/** Opens a source as O_PATH, without following links (mounts.c). */
int child_open_place(const struct child *c, const struct place *at);
/** @return a detached overlay with these MOUNT_ATTR_*, or -1. The working directory is the new root after it, where there is one
 *  already (overlay.c). */
int child_overlay(struct child *c, const struct overlay *o, uint64_t attrs);

/* The stages: child.c, mounts.c, seal.c */
stage_fn child_tmpfs, child_skeleton, child_root, child_mounts, child_pivot;
stage_fn seal_caps, seal_hide, seal_stdio, seal_session, seal_workdir, seal_limits, seal_landlock, seal_seccomp;
/** Tries each candidate; returns only on failure, with errno as execvp(3) would leave it. */
void seal_exec(const struct plan *plan);

/** Hears one refusal out, which there must be, and answers it (listen.c). */
void listen_turn(struct child *c);
/** The same for a call of the plan's `asking`: answers as another host would, or lets it go on (answer.c).
 *  @return -1 with @p note filled when this host cannot pretend to be another. */
int answer_turn(struct child *c, struct note *note);
/** Starts the command and looks after it to its end (pid 1). */
void init_run(struct child *c);
/** Waits until the maker closes its end. */
void keeper_run(struct child *c);

/* ---- the parent's side of it: spawn.c ---------------------------------- */

/** Clones the child that runs @p plan, in new namespaces, inside plan->userns and
 *  plan->mntns when set. No signal of it reaches the caller (exit signal 0: wait with __WALL). */
int spawn(const struct plan *plan, pid_t *ret_pid, struct err *err);
/** Receives one note; @p fds has NOTE_FDS_MAX places, filled with -1 where none came. @return 1, 0 at end of file, -1. */
int note_receive(int sock, struct note *note, int *fds);
/** Sets plan->keep from the descriptors in it. */
void plan_keep(struct plan *plan);

/** Takes over the listener of a command that is learnt from (learn.c). */
void learn_begin(int listener);
/** Hears one call out, which there must be, tells conf->learn of it, and answers as plan->filter does. */
void learn_turn(const struct sandbox_conf *conf, const struct plan *plan, int listener);

/** Turns a failure into a message with cause and cure (host.c). @return -1. */
int host_explain(const struct plan *plan, const struct note *note, struct err *err);

/** Starts a step's plan and stays with it to its end: sandbox_run() without the planning (supervise.c). */
int supervise(const struct sandbox_conf *conf, struct plan *plan, struct sandbox_result *ret, struct err *err);

/** What was in force (receipt.c): from the plan, which the child follows or fails; nothing is read from it. */
json_t *receipt_make(const struct sandbox_conf *conf, const struct plan *plan, struct err *err);
/** Adds whether refusals of the filter were told of: known only once it is loaded. */
int receipt_refusals(json_t *receipt, bool told, struct err *err);

#endif
