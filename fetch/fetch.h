/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fetch.h
 * fetch/: bytes from outside, by digest: local directories, files by URL, trees by
 * commit of git.
 */
#ifndef GB_FETCH_H
#define GB_FETCH_H

#include "base/base.h"
#include "store/store.h"

/* ---- the network ----------------------------------------------------- */

/** Where http: may go to; https: may go anywhere. */
enum fetch_plain { FETCH_PLAIN_NEVER, FETCH_PLAIN_LOOPBACK, FETCH_PLAIN_ANY };

/** How to reach the network. Zero-initialise, with @c cancel_fd -1. Borrowed; strings may be NULL. */
struct fetch_net {
	const char *http_proxy, *https_proxy; /**< URL of the proxy for each scheme, or NULL: none */
	const char *no_proxy;                 /**< host names not to be asked for by a proxy, separated by commas */
	const char *ca_file;                  /**< certificates to trust (PEM) in place of the system's */
	enum fetch_plain plain;
	unsigned attempts;                    /**< 0: a handful */
	uint64_t first_wait_ms, most_wait_ms; /**< between attempts; 0: 500 ms, doubled each time, up to 30 s */
	uint64_t connect_ms;                  /**< 0: 20 s */
	uint64_t stall_ms;                    /**< less than a byte a second for so long is a broken connection; 0: 60 s */
	int cancel_fd;                        /**< readable: stop, ERR_INTERRUPTED; -1: none */
	/** In place of waiting, for tests; told the wait before jitter. */
	int (*wait)(void *arg, uint64_t ms, struct err *err);
	void *wait_arg;
};

/* ---- local directories ------------------------------------------------ */

/** A local directory to snapshot. Borrowed. */
struct fetch_local {
	const char *path;             /**< as opened, for messages */
	int dirfd;
	const char *const *exclude;   /**< NULL-terminated, .gitignore syntax, relative to the directory */
	bool gitignore;               /**< heed .gitignore files inside (gitignore(5)), and leave out .git at any level */
	const char *skip_dir;         /**< a clean relative path to leave out (the out directory), or NULL */
};

/**
 * Snapshots it in the sources' normal form; @p ret is the tree digest, @p ret_stats may be NULL. Brackets the reading with
 * ident_read_begin() itself. Special files are refused by name (ERR_INPUT).
 *
 * What is left out: @c skip_dir; with @c gitignore `.git` of any kind at any level; then the last matching pattern of @c exclude decides,
 * else that of the nearest .gitignore that has one. What lies below a directory left out cannot be brought back. Only .gitignore
 * files inside are read, no link of that name, none larger than 4 MiB (ERR_INPUT).
 */
int fetch_local(struct store *store, const struct fetch_local *from, struct digest *ret, struct snapshot_stats *ret_stats, struct err *err);

/* ---- files by URL ------------------------------------------------------- */

/** Largest file that is fetched: 16 GiB. */
#define FETCH_URL_MAX (16ull << 30)

/** A file to fetch. Borrowed. */
struct fetch_url {
	const char *url;              /**< https:, file:, or http: where struct fetch_net allows it */
	const struct digest *digest;  /**< NULL: whatever it is (to pin it) */
	uint64_t size;                /**< STORE_ANY_SIZE: any */
};

/** Brings it into the store, unless what has that digest is there already: then nobody is asked. What has another digest or
 *  size is not stored (ERR_INPUT, with both). Brackets the reading of file: with ident_read_begin() itself. */
int fetch_url(struct store *store, const struct fetch_net *net, const struct fetch_url *from, struct digest *ret,
	      uint64_t *ret_size, struct err *err);

/** The tree of one file, mode 0644, whose name is the last element of the URL's path. ERR_USAGE where that is none. */
int fetch_url_tree(struct store *store, const char *url, const struct digest *digest, uint64_t size, struct digest *ret,
		   struct err *err);

/** That name. */
int fetch_url_name(const char *url, char ret[TREE_NAME_MAX + 1], struct err *err);

/* ---- git ------------------------------------------------------------------ */

/** A commit to fetch. Borrowed. */
struct fetch_git {
	const char *url;     /**< https:, http: where struct fetch_net allows it, file:, or a path relative to @c dirfd */
	int dirfd;
	const char *commit;  /**< 40 or 64 hex digits */
	bool submodules;     /**< fetch them too: by https:, or relative to the repository they are in; else empty directories */
};

/**
 * The tree of a commit, in the sources' normal form, into the store. git(1) never works in a repository that is not of our own
 * making: a local one lends its objects directory only, so that no configuration, hook, filter, attribute, monitor, replacement, graft,
 * credential helper or lazy fetch of it means anything; git checks what comes (fsck, and SHA-1 for collisions), and a confined
 * process (base/confine.h) reads what it says and hashes every commit, tree and blob again. Files of git LFS stay the pointers that they are. Brackets the reading with
 * ident_read_begin() itself. ERR_INPUT: not there, damaged, or not what a tree can hold; ERR_USAGE: such a URL is not allowed.
 */
int fetch_git(struct store *store, const struct fetch_net *net, const struct fetch_git *from, struct digest *ret,
	      struct snapshot_stats *ret_stats, struct err *err);

/** Room for a commit's name and NUL. */
#define FETCH_COMMIT_SIZE 65

/** The commit that branch or tag @p ref of @p from (whose commit is not looked at) is now. ERR_INPUT where there is none, or both. */
int fetch_git_ref(struct store *store, const struct fetch_net *net, const struct fetch_git *from, const char *ref,
		  char ret[FETCH_COMMIT_SIZE], struct err *err);

/** What a checkout says of itself. */
struct fetch_git_facts {
	char commit[FETCH_COMMIT_SIZE];
	int64_t time;      /**< the committer's */
	char semver[101];  /**< of its tag vX.Y.Z, the highest, without the v; empty: it has none, or was not asked for */
	bool is_main;      /**< the branch main is at this commit: here, or as origin had it last; false where not asked for */
};

/** Which of them are to be looked for: together, of enum fetch_git_ask. */
enum fetch_git_ask { FETCH_GIT_VERSION = 1, FETCH_GIT_MAIN = 2 };

/** The facts of the checkout that directory @p dirfd lies in, as carefully; tags and branches are looked at only where @p ask says so.
 *  ERR_INPUT where there is none, or one that cannot be read. */
int fetch_git_facts(struct store *store, const struct fetch_net *net, int dirfd, unsigned ask, struct fetch_git_facts *ret,
		    struct err *err);

#endif
