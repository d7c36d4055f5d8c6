/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file store.h
 * store/: content by digest. Layout (glovebox-store(5)):
 *
 *     version                 "glovebox-store 1\n"
 *     objects/ab/cdef…        file contents by SHA-256, 0444
 *     trees/<hex>             manifests by SHA-256 (glovebox-tree(5))
 *     names/<name>            "sha256:<hex>\n": imported rootfs
 *     rootfs/<hex>/root       materialised rootfs, own inodes (rootfs/ makes them)
 *     derived/<kind>-<hex>    what can be worked out again (compiled profiles), and may be deleted at any time
 *     results/<kind>-<hex>    what steps and images came to, by the digest of all they depend on; may be deleted at any time
 *     tmp/<id>/               scratch of one run, with `lock` (flock) held while it lives
 *
 * What is read is verified against its digest, or was.
 *
 * Durability. Everything is written below tmp/<id>/ and renamed into place whole, so a killed process leaves nothing half made. Objects
 * and manifests are not synced one by one (25,000 fsyncs cost minutes): after a loss of power one may be missing, short or empty, which
 * its reader finds, and which putting the same content again mends (what has the name is hashed, and replaced when it is damaged). A name is a
 * promise: store_set_name() syncs the store's file system before the name appears. So does whoever renames a rootfs into place.
 *
 * A store, its trees and its writers belong to one thread. Any number of processes may use a store at once. Snapshots read with
 * as many threads as there are processors, which are gone when the call returns.
 */
#ifndef GB_STORE_H
#define GB_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

/* ---- the store ------------------------------------------------------- */

struct store;

/** Opens the store at @p path, making it (0700, owned by the step user where the caller is real root and it
 *  is new or an empty directory) when it is not there. Sweeps scratch of dead runs. For real root sets @p id's step ids: as given there
 *  already when not IDENT_STEP_ID, else the owner of an existing store (an owner of 0 is refused for a store with content, by name).
 *  An empty directory of an unprivileged user is adopted as one with content would be: it stays that user's, never another's; for real
 *  root a new store is not made through a link as the path's last component (ERR_USAGE).
 *  Drops to the step user (ident_drop). ERR_USAGE: not a store; ERR_HOST: not writable, with the reason. */
int store_open(const char *path, struct ident *id, struct store **ret, struct err *err);
void store_close(struct store *store);
static inline void own_store(struct store **s)
{
	store_close(*s);
}
#define auto_store __attribute__((cleanup(own_store))) struct store *

/** Directory descriptor of the store. Borrowed. */
int store_fd(const struct store *store);
const struct ident *store_ident(const struct store *store);
/** syncfs(2) of the file system that holds the store: all written so far survives a loss of power. */
int store_sync(struct store *store, struct err *err);

/** A directory in every store that stays empty: where a sandbox's root is mounted, in a mount namespace of its own, so any number
 *  may use it at once. */
#define STORE_MOUNTPOINT "mnt"

/* ---- objects --------------------------------------------------------- */

/** Copies all that is left in @p fd into an object, hashing what is stored. Known content is stored once.
 *  @p limit: most bytes accepted (ERR_INPUT above). */
int store_put_fd(struct store *store, int fd, uint64_t limit, struct digest *ret, uint64_t *ret_size, struct err *err);
/** The same from memory. */
int store_put_bytes(struct store *store, const void *data, size_t n, struct digest *ret, struct err *err);
/** Opens an object for reading. ERR_INPUT when it is not in the store. Its content is not hashed again here: readers that copy verify. */
int store_open_object(struct store *store, const struct digest *d, int *ret_fd, struct err *err);

/** Removes an object whose content was found to be another than its digest says. @return whether it is gone. */
bool store_remove_object(struct store *store, const struct digest *d);

/** An object written piece by piece (archive import). */
struct store_writer;
/** Begins one. With @p store NULL nothing is stored: only the digest is wanted. The store outlives its writers. */
int store_writer_begin(struct store *store, struct store_writer **ret, struct err *err);
int store_writer_add(struct store_writer *w, const void *data, size_t n, struct err *err);
/** Forgets what was added since the last end. */
void store_writer_reset(struct store_writer *w);
/** In place of a size: any. */
#define STORE_ANY_SIZE UINT64_MAX
/** What store_writer_end() has to find from now on: anything else is ERR_INPUT with both digests, and is not stored. */
void store_writer_expect(struct store_writer *w, const struct digest *d, uint64_t size);
/** Places the object; the writer is ready for the next one then. */
int store_writer_end(struct store_writer *w, struct digest *ret, uint64_t *ret_size, struct err *err);
/** An unfinished object vanishes. */
void store_writer_free(struct store_writer *w);
static inline void own_store_writer(struct store_writer **w)
{
	store_writer_free(*w);
}
#define auto_store_writer __attribute__((cleanup(own_store_writer))) struct store_writer *

/* ---- trees ----------------------------------------------------------- */

#define TREE_PATH_MAX 4096          /**< bytes of a path */
#define TREE_NAME_MAX 255           /**< bytes of one name in it */
#define TREE_DEPTH_MAX 256          /**< names in it */
#define TREE_LINK_MAX 4095          /**< bytes of a link's target */
#define TREE_ENTRIES_MAX 10000000u
#define TREE_ID_MAX 4294967294u     /**< largest uid and gid; the next one means "none" to the kernel */
#define TREE_MODE_BITS 01777u       /**< what a mode may have: never setuid, never setgid */

/** What an entry of a tree is; a tree holds nothing else. */
enum tree_type { TREE_DIR, TREE_FILE, TREE_LINK };

/** One entry. path is relative and clean ("a/b"; "." for the root), any bytes but NUL. */
struct tree_entry {
	const char *path;
	enum tree_type type;
	unsigned mode;          /**< files and dirs; links have none */
	uint64_t uid, gid;
	uint64_t size;          /**< files */
	struct digest digest;   /**< files */
	const char *link;       /**< links */
};

/** NULL, or why @p path can be none of a tree's but the root: not clean, too long, too deep. Static text. */
const char *tree_path_fault(const char *path);

/** Collects entries in any order; a manifest is written sorted. */
struct tree_builder;
int tree_builder_new(struct tree_builder **ret, struct err *err);
void tree_builder_free(struct tree_builder *b);
static inline void own_tree_builder(struct tree_builder **b)
{
	tree_builder_free(*b);
}
#define auto_tree_builder __attribute__((cleanup(own_tree_builder))) struct tree_builder *
/** Copies @p e in. ERR_INPUT for a path that is not clean, too long or too deep; ERR_INPUT for too many entries. */
int tree_builder_add(struct tree_builder *b, const struct tree_entry *e, struct err *err);
/** Appends the manifest to @p out: sorts, checks (one entry a path; each parent there and a directory; "." is added as 0755 when missing). ERR_INPUT by name where it
 *  is no tree. */
int tree_builder_manifest(struct tree_builder *b, struct buf *out, struct err *err);
/** The same, put into the store; @p ret is the tree's identity. */
int store_put_tree(struct store *store, struct tree_builder *b, struct digest *ret, struct err *err);
bool store_has_tree(struct store *store, const struct digest *d);
/** Opens a tree's manifest, checked against its digest, at its start. ERR_INPUT: it is not there, or damaged. */
int store_open_tree(struct store *store, const struct digest *d, int *ret_fd, struct err *err);

/** Reads a manifest entry by entry, strictly (glovebox-tree(5)); the whole is checked against its digest before the first entry is handed out. */
struct tree_reader;
int store_read_tree(struct store *store, const struct digest *d, struct tree_reader **ret, struct err *err);
/** The same from text; @p what names it in errors. The text is copied. */
int tree_reader_from_text(const char *text, size_t n, const char *what, struct tree_reader **ret, struct err *err);
/** The same from @p fd, from where it stands, a window at a time; it is taken over, also on failure. */
int tree_reader_from_fd(int fd, const char *what, struct tree_reader **ret, struct err *err);
/** @return 1 and an entry valid until the next call, 0 at the end, -1 on error. */
int tree_reader_next(struct tree_reader *r, struct tree_entry *ret, struct err *err);
void tree_reader_free(struct tree_reader *r);
static inline void own_tree_reader(struct tree_reader **r)
{
	tree_reader_free(*r);
}
#define auto_tree_reader __attribute__((cleanup(own_tree_reader))) struct tree_reader *

/* ---- snapshots of directories ---------------------------------------- */

/** Normal forms (design.md, fact 3). */
enum tree_form {
	TREE_SOURCE,  /**< dirs 0755, files 0644 or 0755 by owner's x, owner 0:0 */
	TREE_ROOTFS,  /**< modes less setuid and setgid, ids kept; the caller's own ids become 0 unless it is real root;
	               *   the root itself is 0755 0:0 (an archive need not hold it, so it is no content) */
};

/** What to leave out. Each function may be NULL.
 *  @c skip is called for each entry but the root before it is opened; @p path is relative to the root. @return whether to leave it,
 *  and all below it, out. @c enter is called with a directory's descriptor and path (the root's is ".") before its entries, to read
 *  .gitignore; @c leave after them, once for each enter that succeeded, also when the walk fails. */
struct snapshot_filter {
	bool (*skip)(void *arg, const char *path, bool is_dir);
	int (*enter)(void *arg, int dirfd, const char *path, struct err *err);
	void (*leave)(void *arg);
	void *arg;
};

/** A copy that is laid out of what is read, while it is read: contents are read and hashed once for both. */
struct snapshot_copy {
	/** Makes the place of an entry, in a manifest's order (parents first, bytewise by full path), called by the caller's thread. Of a file
	 *  @p e has neither size nor digest yet, and *@p ret_fd is where its content is to be written, empty; else untouched. */
	int (*make)(void *arg, const struct tree_entry *e, int *ret_fd, struct err *err);
	/** Told that a file is filled with what @p e now says, which may have another mode by then. Owns @p fd. Called by several threads at once. */
	int (*filled)(void *arg, const struct tree_entry *e, int fd, struct err *err);
	void *arg;
};

struct snapshot_options {
	enum tree_form form;
	const struct snapshot_filter *filter; /**< or NULL */
	bool skip_odd;          /**< true: sockets, fifos and devices are left out and counted; false: refused by name (ERR_INPUT) */
	bool digest_only;       /**< hash without storing (`glovebox tree DIR`); store may be NULL then */
	bool stat_cache;        /**< files that have not changed since an earlier snapshot of this directory are not read (glovebox-store(5)); not
	                         *   together with `amend`, nor without a store */
	/** May change the first bytes of a file (@p n of them: all, or some 100 KiB) before they are hashed and stored. Called from
	 *  several threads at once. Or NULL. */
	void (*amend)(void *arg, const char *path, void *head, size_t n);
	void *amend_arg;
	/** Told of each thing that does not stay what it is: what skip_odd leaves out, and files whose setuid or setgid bit goes.
	 *  @p mode is as in stat(2), for what is left out its type alone. Called from other threads than the caller's, one at a time. Or NULL. */
	void (*lost)(void *arg, const char *path, mode_t mode);
	void *lost_arg;
	/** Gets each entry in a manifest's order (parents first, bytewise by full path) in place of the builder, which is NULL then, as is the
	 *  store. @p fd: a file, just opened, to be read by the caller; else -1. A file that changes meanwhile is refused by name when visit
	 *  returns. Memory holds the names in the directories on the way to the entry, and nothing else of the tree. TREE_SOURCE only, no
	 *  `amend`. On failure of visit the walk ends with its error. Or NULL. */
	int (*visit)(void *arg, const struct tree_entry *e, int fd, struct err *err);
	void *visit_arg;
	/** Lays out a copy; not together with `stat_cache`, `digest_only` or `visit`. On failure it is left as far as it has come. Or NULL. */
	const struct snapshot_copy *copy;
};

/** What a snapshot met; `odd` counts the sockets, fifos and devices that were left out, `setid` the files that had a setuid or setgid bit. */
struct snapshot_stats {
	uint64_t files, dirs, links, bytes, odd, setid;
};

/** Walks @p dirfd (openat, O_NOFOLLOW, never out of it; mounts in it are entered, as tar does), stores each regular file (hashed
 *  from what was stored; a file that changes while it is read is read again, then refused by name), adds all to @p b, the root
 *  too. Hard links become separate files. The caller brackets this with ident_read_begin() where inputs need that. On failure
 *  (ERR_INPUT by name and reason, or ERR_INTERNAL) @p b is only good to be freed. */
int store_snapshot(struct store *store, int dirfd, const struct snapshot_options *opt, struct tree_builder *b,
		   struct snapshot_stats *ret, struct err *err);

/* ---- names ----------------------------------------------------------- */

/** Syncs the store (store_sync()), then makes the name appear, durable, in place of an older meaning. ERR_USAGE: not a name;
 *  ERR_INPUT: no such tree here. */
int store_set_name(struct store *store, const char *name, const struct digest *d, struct err *err);
/** ERR_INPUT when there is no such name (with the nearest one). */
int store_get_name(struct store *store, const char *name, struct digest *ret, struct err *err);
/** Removes a name, durable; what it meant stays until nothing else holds it (garbage collection). ERR_INPUT when there is no such name. */
int store_remove_name(struct store *store, const char *name, struct err *err);
/** Sorted names; @p ret is a NULL-terminated array, freed string by string and as a whole by store_names_free(). */
int store_list_names(struct store *store, char ***ret, struct err *err);
void store_names_free(char **names);

/* ---- what can be worked out again -------------------------------------- */

/** Longest name of a kind. */
#define STORE_KIND_MAX 16
/** Keeps @p n bytes as what @p key, the digest of all that they depend on, gives for @p kind ([a-z]+). */
int store_derived_put(struct store *store, const char *kind, const struct digest *key, const void *data, size_t n, struct err *err);
/** Appends them. @return false when they are not there, are more than @p max, or are not what was put: then work them out again. */
bool store_derived_get(struct store *store, const char *kind, const struct digest *key, size_t max, struct buf *ret);

/* ---- results ------------------------------------------------------------ */

#define STORE_RESULTS "results"
/** Most bytes of one. */
#define STORE_RESULT_MAX (32u << 20)

/** Keeps @p result, an object, as what @p key, the digest of all that it depends on, gives for @p kind ([a-z]+), in place of an earlier one.
 *  Digests as text in its arrays "trees" and "objects" say what garbage collection keeps with it. */
int store_result_put(struct store *store, const char *kind, const struct digest *key, const json_t *result, struct err *err);
/** Gives it back (new reference), and notes that it was used. ERR_INPUT: there is none (`sys` is ENOENT), or what has its name is not what was put
 *  under it. What it refers to may be gone: store_check_tree(), store_check_object(). */
int store_result_get(struct store *store, const char *kind, const struct digest *key, json_t **ret, struct err *err);

/** Whether an object is there, a file of @p size bytes (STORE_ANY_SIZE: any), and with @p content the one that its digest says.
 *  ERR_INPUT names what is not. */
int store_check_object(struct store *store, const struct digest *d, uint64_t size, bool content, struct err *err);
/** The same for a tree: its manifest, always with its content, and each object of it. */
int store_check_tree(struct store *store, const struct digest *d, bool content, struct err *err);

/* ---- the store as a whole ------------------------------------------------ */

/** What lies in a store, by its folder. */
enum store_kind { STORE_OBJECTS, STORE_TREES, STORE_RESULTS_KIND, STORE_ROOTFS, STORE_DERIVED, STORE_NAMES, STORE_KINDS };
/** Its folder's name: "objects". */
const char *store_kind_name(enum store_kind kind);

/** How much there is of each kind; bytes as on the disk. */
struct store_counts {
	struct { uint64_t n, bytes; } of[STORE_KINDS];
};
int store_stats(struct store *store, struct store_counts *ret, struct err *err);

/** Something that is not what it should be. Borrowed. */
struct store_damage {
	const char *path;      /**< below the store */
	const char *why;       /**< a few words */
	bool removed, healed;  /**< healed: made again from a rootfs that was laid out of it */
	const json_t *trees;   /**< digests of the trees that it is in, as strings */
};
/** Hashes all that is there against its name. What is damaged is told and removed, so that the next run makes it anew from its
 *  source; a result that refers to what is gone, and a tree without a name, too. @p fn: called once for each. Others may be at work. */
int store_verify(struct store *store, void (*fn)(void *arg, const struct store_damage *d), void *arg, struct store_counts *ret,
		 struct err *err);

/** What goes. */
struct store_gc {
	uint64_t max_age_s;    /**< what nobody has used for longer; UINT64_MAX: any age stays */
	uint64_t max_bytes;    /**< the longest unused, until the rest takes no more; UINT64_MAX: any size stays */
	bool dry_run;          /**< only tells */
};
/** Collects garbage, waiting for others to come to a point where that is safe. What has a name stays, and what a run at work uses. */
int store_gc(struct store *store, const struct store_gc *how, struct store_counts *ret_removed, struct store_counts *ret_kept,
	     struct err *err);

/* ---- scratch --------------------------------------------------------- */

/** While a step runs, garbage collection need not wait for us: it spares what store_scratch_use() has noted, and each rootfs that
 *  somebody holds (store_hold_rootfs()). Until store_resume() nothing is put into the store or looked for in it. */
void store_pause(struct store *store);
/** Waits for the end of a collection that is going on. Nothing where nothing was paused. */
int store_resume(struct store *store, struct err *err);
/** Holds rootfs/<hex>, which is there, as long as @p ret_fd is open, and notes that it was used. */
int store_hold_rootfs(struct store *store, const struct digest *d, int *ret_fd, struct err *err);

/** A run's own directory below tmp/, removed when closed; what a killed run left is swept by the next store_open(). */
struct store_scratch;
int store_scratch_open(struct store *store, struct store_scratch **ret, struct err *err);
/** Its path relative to the store ("tmp/<id>"). Borrowed. */
const char *store_scratch_path(const struct store_scratch *s);
int store_scratch_fd(const struct store_scratch *s);
/** Notes that the run will come back to a tree (with all its objects) or an object, until the scratch is closed. */
int store_scratch_use(struct store_scratch *s, bool tree, const struct digest *d, struct err *err);
void store_scratch_close(struct store_scratch *s);
static inline void own_store_scratch(struct store_scratch **s)
{
	store_scratch_close(*s);
}
#define auto_store_scratch __attribute__((cleanup(own_store_scratch))) struct store_scratch *

#endif
