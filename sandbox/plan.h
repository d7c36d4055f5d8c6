/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file plan.h
 * The one constant plan that the parent computes and the child follows. Nothing
 * in it is changed after plan_make() or space_plan_make(); all strings live in
 * the plan or in the caller's conf, which outlives it.
 *
 * How a root is built (mount_namespaces(7)). One tmpfs, the skeleton, holds all
 * that glovebox itself makes; it is mounted on conf->mountpoint and laid out as
 *
 *   root/   the upper layer of /: mount points, and the generated files of /etc
 *   dev/    becomes /dev: links, and files to bind devices over
 *   tmp/ shm/ home/   the writable places, each bound to its place below /
 *   void/ empty       a directory and a file to cover things with
 *   layer/  where overlays are mounted for a moment on kernels before 6.8
 *
 * `makes` fill it, then its mount is made read-only, then a read-only overlay of
 * root/ and the rootfs is mounted on root/, then `rows` below that in order; binds
 * of the skeleton that must be writable clear the flag again. The overlay costs a
 * third of binding a rootfs's top entries one by one, and /proc/self/mountinfo shows
 * no path of the host's: the root of an overlay is "/", while that of a bind is
 * the way from the top of its file system. For the same reason directories of the
 * base directory are shown as overlays of themselves and void/.
 */
#ifndef GB_SANDBOX_PLAN_H
#define GB_SANDBOX_PLAN_H

#include "sandbox/limit.h"

struct cgroup;
struct winsize;

/** Rows of conf->mounts. */
#define PLAN_MOUNTS_MAX 256
/** Candidates of one PATH look-up. */
#define PLAN_PATH_MAX 256
/** Descriptors that survive into the child. */
#define PLAN_KEEP_MAX 5

/** Where the path of a source starts. */
enum place_where {
	PLACE_BASE,     /**< the base directory */
	PLACE_ROOTFS,   /**< conf->rootfs */
	PLACE_SKELETON, /**< top of the tmpfs */
	PLACE_TREES,    /**< the space's /trees */
	PLACE_HOST,     /**< absolute, links followed */
};

struct place {
	enum place_where where;
	const char *path;
};

enum make_kind { MAKE_DIR, MAKE_LINK, MAKE_FILE };

/** One thing made in the skeleton while it is writable. */
struct make {
	enum make_kind kind;
	const char *path; /**< relative to the top of the tmpfs */
	mode_t mode;
	const char *text; /**< a link's target, a file's content or NULL */
	bool foreign;     /**< a directory that something is mounted on: nothing can be made below it */
};

/** The layers of an overlay, and the same as mount(2) options for kernels before 6.8. */
struct overlay {
	struct place lowers[SANDBOX_LOWERS_MAX];
	size_t nlowers;
	struct place upper, work; /**< path NULL: read-only */
	const char *options;
};

enum row_kind {
	ROW_BIND,    /**< a copy of a mount, with flags of its own */
	ROW_COVER,   /**< a bind of one thing by mount(2), with its source's flags: from.path is relative to the new root, or the host's */
	ROW_FLAGS,   /**< no mount: `set` on what is mounted at the target, and on all below it */
	ROW_PROC,
	ROW_PTS,
	ROW_OVERLAY,
};

/** One mount below the new root. */
struct row {
	enum row_kind kind;
	const char *target;    /**< relative to the new root */
	struct place from;     /**< ROW_BIND, ROW_COVER */
	uint64_t set, clear;   /**< MOUNT_ATTR_* (mount_setattr(2)); both 0: as the source's mount */
	const struct overlay *overlay;
	bool own;              /**< the way to the target is the skeleton's or /proc's alone */
	bool optional;         /**< a missing target is no error */
	bool recursive;        /**< with the mounts below the source */
	bool view;             /**< hand a descriptor of it to the parent */
	int user;              /**< index in conf->mounts, or -1 */
};

/** A resource limit (setrlimit(2)). */
struct limit {
	int resource;
	uint64_t soft, hard;
	bool lowered; /**< by the caller's own hard limit */
};

/** What takes the place of one of the vDSO's functions (vdso(7)): the call itself. */
struct patch {
	uint64_t offset;      /**< from where the vDSO begins */
	unsigned char code[8];
};
#define PLAN_PATCHES_MAX 3

enum plan_kind {
	PLAN_STEP,  /**< ends in init and the command */
	PLAN_SPACE, /**< ends in the keeper */
};

struct plan {
	enum plan_kind kind;
	/* Descriptors of the parent, valid in the child; -1: none. */
	int base_fd, proc_fd, sock, out, err;
	int userns, mntns;        /**< of the space; used before the child is cloned */
	int keep[PLAN_KEEP_MAX];  /**< the first five, ascending, and */
	size_t nkeep;             /**< how many are open */

	const char *uid_map, *gid_map;
	uid_t uid; gid_t gid;

	const char *mountpoint, *rootfs; /**< below the base; rootfs NULL for a space */
	const char *layer;               /**< mountpoint/layer */
	const struct overlay *root;      /**< of / itself; NULL for a space */
	const char *tmpfs_size, *tmpfs_inodes;
	const struct make *makes; size_t nmakes;
	const struct row *rows; size_t nrows;

	const struct winsize *terminal; /**< NULL, or the size of the terminal that the command gets */
	const char *hostname;
	const struct cgroup *cgroup; /**< or NULL: none of its own, and nothing to wait for */
	bool loopback;
	bool no_lowerdir_plus;    /**< use mount(2) for overlays even where "lowerdir+" exists (tests) */
	uintptr_t wipe_start; size_t wipe_len; /**< the program's argv and environ, overwritten in init */

	const char *const *candidates; /**< NULL-terminated: what to try to execute, in order */
	const char *const *argv, *const *envp;
	const char *workdir;
	struct limit *limits; size_t nlimits;
	int landlock_abi;              /**< 0: none, or too old to be of use */
	const char *const *writable;   /**< NULL-terminated: absolute paths, inside, that Landlock lets be changed */
	const struct sock_filter *filter; size_t filter_len; /**< with the floor joined to it, unless that is too long (filter.c) */
	const struct sock_filter *floor; size_t floor_len;   /**< NULL, or loaded before `filter` */
	struct sandbox_vary vary;
	const struct sock_filter *asking; size_t asking_len; /**< NULL, or a filter that asks init for what `vary` has otherwise; `telling` is NULL then */
	struct patch patches[PLAN_PATCHES_MAX]; size_t npatches; /**< so that no process has the time without asking the kernel */
	const struct sock_filter *telling; /**< NULL, or `filter` with a listener asked (seccomp_unotify(2)): init, wherever it refuses; */
	size_t telling_len;
	bool learning;                     /**< or the parent, about every call */
};

/** A plan and what it owns. */
struct plan_box {
	struct plan plan;
	struct make *makes; size_t makes_cap;
	struct row *rows; size_t rows_cap;
	struct limit limits[24];
	void **owned; size_t nowned, owned_cap; /**< strings and small arrays */
};

/** Checks @p conf and computes everything but descriptors, which the caller fills in. ERR_USAGE names what can't be. */
int plan_make(const struct sandbox_conf *conf, struct plan_box *ret, struct err *err);
/** The same for a space's keeper. */
int plan_make_space(const struct sandbox_space_conf *conf, struct plan_box *ret, struct err *err);
void plan_clear(struct plan_box *box);
#define auto_plan __attribute__((cleanup(plan_clear))) struct plan_box

/* ---- for the parts that fill a plan (parent only) ---------------------- */

/** A formatted string that the plan owns, or NULL when memory is short. */
const char *plan_str(struct plan_box *box, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Zeroed memory that the plan owns, or NULL. */
void *plan_alloc(struct plan_box *box, size_t n);
/** Append a copy; -1 with ERR_INTERNAL when memory is short or a string in it is NULL for that reason. */
int plan_add_make(struct plan_box *box, struct make make, struct err *err);
int plan_add_row(struct plan_box *box, struct row row, struct err *err);
/** What plan_add_make() was told to make at this path, or NULL. Valid until the next plan_add_make(). */
struct make *plan_find_make(const struct plan_box *box, const char *path);

/** -1 with ERR_INTERNAL, or with ERR_USAGE and "sandbox: WHAT". */
int plan_no_memory(struct err *err);
int plan_refuse(struct err *err, const char *what);

/** argv, envp, workdir and candidates, copied: the caller's strings may lie in the area that init overwrites. */
int plan_command(struct plan_box *box, const struct sandbox_conf *conf, struct err *err);
int plan_limits(struct plan_box *box, const struct sandbox_limits *l, struct err *err);
/** The programs to load, from conf's (filter.c). */
int plan_filter(struct plan_box *box, const struct sandbox_conf *conf, struct err *err);
/** Lets a cgroup's limit of processes be hit before that of RLIMIT_NPROC: only the cgroup tells of it. */
void plan_pids_in_cgroup(struct plan *plan);
/** What conf->vary asks for (vary.c): before plan_filter(). */
int plan_vary(struct plan_box *box, const struct sandbox_conf *conf, struct err *err);
int plan_landlock(struct plan_box *box, const struct sandbox_conf *conf, struct err *err);
int plan_wipe(struct plan *plan, struct err *err);

/** What glovebox makes in every root: /dev, /proc, /sys, /tmp, /build/home. */
int skeleton_fixed(struct plan_box *box, struct err *err);
/** Covers something below the new root with something of the skeleton's, if it is there. */
int skeleton_cover(struct plan_box *box, const char *from, const char *target, struct err *err);
/** /proc as a host with one processor has it (vary.c). */
int skeleton_one_cpu(struct plan_box *box, struct err *err);
/** The generated files of /etc (toplevel.c). */
int skeleton_etc(struct plan_box *box, const struct sandbox_conf *conf, struct err *err);
/** The overlay that is /, over the rootfs that @p rootfs_fd is open on (toplevel.c). ERR_USAGE when what glovebox mounts on is no
 *  directory there. */
int skeleton_root(struct plan_box *box, int rootfs_fd, struct err *err);
/** Its mounts, after that of the root. */
int skeleton_rows(struct plan_box *box, const struct sandbox_conf *conf, struct err *err);
/** conf->mounts, with their mount points where the rootfs has none at top level. */
int skeleton_mounts(struct plan_box *box, int rootfs_fd, const struct sandbox_conf *conf, struct err *err);
/** What a directory entry of a rootfs is, for a message: "a link", "a file", ... */
const char *skeleton_type_name(mode_t mode);

/** What a space shows: the base, `trees`, and what a step's root is made from (device nodes, a visible /proc). */
int skeleton_space(struct plan_box *box, struct err *err);
/** Fills `options` from the layers. */
int overlay_options(struct plan_box *box, struct overlay *o, struct err *err);

#endif
