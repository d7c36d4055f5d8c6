/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outdir.h
 * The out directory of a run: taken over from an earlier run or made, filled as
 * the caller. Private to runner/.
 */
#ifndef GB_RUNNER_OUTDIR_H
#define GB_RUNNER_OUTDIR_H

#include "base/base.h"

#define RESULT_SCHEMA "https://glovebox.dev/schemas/result/v1"

/** Largest result.json read back. */
#define RESULT_MAX (64u << 20)

/** The directory in it with manifests of trees. */
#define OUTDIR_TREES "trees"

struct outdir {
	const struct ident *id;
	int fd;             /**< locked (flock) while the run writes to it */
	int logs_fd;        /**< logs/, held: whoever owns the directory cannot lead us elsewhere */
	int reports_fd;     /**< junit/, likewise, once there is one; else -1 */
	int trees_fd;       /**< trees/, likewise */
	int events_fd;      /**< events.jsonl, open for appending */
	int old_logs_fd;    /**< an earlier run's logs, until outdir_tidy(), or -1 */
	bool untidy;        /**< there is something of an earlier run's that lies aside */
};
#define OUTDIR_NONE ((struct outdir){ .fd = -1, .logs_fd = -1, .reports_fd = -1, .trees_fd = -1, .events_fd = -1, .old_logs_fd = -1 })
void outdir_close(struct outdir *out);
#define auto_outdir __attribute__((cleanup(outdir_close))) struct outdir

/** Makes @p path (a link there is followed only with @p follow), or takes over an empty directory or one that an earlier run's result.json marks as its own; removes what that
 *  run left, or puts it aside until outdir_tidy() under names that begin with a dot, and marks it again, as running. Anything else there, or a run that is still at work
 *  there, is ERR_USAGE: nothing of the user's is ever overwritten. */
int outdir_open(const char *path, bool follow, const struct ident *id, struct outdir *ret, struct err *err);

/** Makes a file appear whole in the directory. */
int outdir_write(const struct outdir *out, const char *name, const void *data, size_t n, struct err *err);
/** The same in its logs/. The file may be one of an earlier run's that holds just that. */
int outdir_write_log(const struct outdir *out, const char *name, const void *data, size_t n, struct err *err);
/** The same in its junit/. */
int outdir_write_report(struct outdir *out, const char *name, const void *data, size_t n, struct err *err);
/** The same in its trees/, with @p n bytes of @p in, a file that is held open. */
int outdir_copy_tree(struct outdir *out, const char *name, int in, uint64_t n, struct err *err);
/** outdir_write() of a JSON document for people. */
int outdir_write_json(const struct outdir *out, const char *name, const json_t *j, struct err *err);

/** Opens an unfinished image.tar to write to, after removing the earlier run's; outdir_publish_image() gives it its name. */
int outdir_create_image(const struct outdir *out, int *ret_fd, struct err *err);
/** Takes the earlier run's image.tar for an unfinished one where it is just that, @p size bytes of digest @p d: then @p ret_fd, to read it,
 *  is the caller's; else -1. */
int outdir_take_image(const struct outdir *out, const struct digest *d, uint64_t size, int *ret_fd, struct err *err);
int outdir_publish_image(const struct outdir *out, int fd, struct err *err);

/** Removes what lies aside. Called by outdir_close() as well, which tells of no failure. */
int outdir_tidy(struct outdir *out, struct err *err);

#endif
