/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/outdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/target.h"

/** An unfinished image.tar, and what of an earlier run's lies aside while this one may still need it: most files are what they were, and to make
 *  one costs more than to look at it. */
#define PART_IMAGE ".image.tar.part"
#define OLD_IMAGE ".image.tar.old"
#define OLD_LOGS ".logs.old"

/** With image.tar and logs, everything that any version's run makes (design.md): what is found of it was made by an earlier run, or wants to be
 *  taken for it. Nothing else is ever removed. */
static const char *const made[] = {
	"image.digest", "provenance.json", "provenance.sigstore.json", "events.jsonl",
	"test-result.json", "test-result.sigstore.json",
	"sbom.cdx.json", "sbom.cdx.json.sigstore.json", "sbom.spdx.json", "sbom.spdx.json.sigstore.json",
	"sbom.cdx.sigstore.json", "sbom.spdx.sigstore.json", "junit", "report.html", PART_IMAGE, OLD_IMAGE, OLD_LOGS, OUTDIR_TREES,
};

void outdir_close(struct outdir *out)
{
	struct err ignored = {0};

	(void)outdir_tidy(out, &ignored);
	own_fd(&out->fd);
	own_fd(&out->logs_fd);
	own_fd(&out->reports_fd);
	own_fd(&out->trees_fd);
	own_fd(&out->events_fd);
	*out = OUTDIR_NONE;
}

static int is_empty(int fd, bool *ret, struct err *err)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	if (dir == NULL)
		return err_set(err, ERR_INTERNAL, errno, "read the out directory");
	*ret = true;
	while ((errno = 0, e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			*ret = false;
	return errno == 0 ? 0 : err_set(err, ERR_INTERNAL, errno, "read the out directory");
}

/** Whether result.json says that a run of ours made this directory. */
static int is_ours(int fd, bool *ret, struct err *err)
{
	/* As json_pretty() writes it, and mark_running(). No string has a line's end in it. */
	static const char line[] = "\n  \"schema\": \"" RESULT_SCHEMA "\"";
	struct err ignored = {0};
	auto_buf text = {0};
	auto_json result = NULL;

	*ret = false;
	if (io_read_file(fd, "result.json", RESULT_MAX, &text, err) < 0)
		return err->sys == 0 || target_is_misnamed(err->sys) ? 0 : -1;
	/* Of many steps it is long, and reading it takes a while. */
	*ret = text.len > 0 && memmem(text.data, text.len, line, sizeof line - 1) != NULL;
	if (*ret || json_parse(text.data, text.len, "result.json", ERR_USAGE, &result, &ignored) < 0)
		return 0;
	const char *schema = json_str(result, "schema");
	*ret = schema != NULL && strcmp(schema, RESULT_SCHEMA) == 0;
	return 0;
}

static int mark_running(int fd, struct err *err)
{
	static const char text[] = "{\n  \"outcome\": \"running\",\n  \"schema\": \"" RESULT_SCHEMA "\"\n}\n";

	return io_publish(fd, "result.json", text, sizeof text - 1, 0644, 0, err);
}

/** Opens the directory, making it where it is missing, and keeps others from writing to it. */
static int open_locked(const char *path, bool follow, struct outdir *out, struct err *err)
{
	if (io_mkdirs(AT_FDCWD, path, 0777, err) < 0)
		return -1;
	out->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	if (out->fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "open it%s", follow ? "" : " (if it is a link and that is meant, name it with --out)");
	if (flock(out->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return err_set(err, ERR_USAGE, 0, "another run is writing to it; wait for its end, or give another --out");
	return 0;
}

/** Makes a directory in it that is not there yet, and holds it. */
static int make_dir(const struct outdir *out, const char *name, int *ret_fd, struct err *err)
{
	if (mkdirat(out->fd, name, 0777) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make '%s'", name);
	return io_open_dir(out->fd, name, ret_fd, err);
}

/** Puts something of an earlier run's aside, if it is there. */
static int put_aside(struct outdir *out, const char *name, const char *aside, struct err *err)
{
	if (renameat(out->fd, name, out->fd, aside) == 0)
		out->untidy = true;
	else if (errno != ENOENT)
		return err_set(err, ERR_INTERNAL, errno, "move '%s' aside", name);
	return 0;
}

static int take_over(const char *path, bool follow, struct outdir *out, struct err *err)
{
	bool empty, ours;

	if (open_locked(path, follow, out, err) < 0 || is_empty(out->fd, &empty, err) < 0 || is_ours(out->fd, &ours, err) < 0) {
		if (err->kind == ERR_INTERNAL && target_is_misnamed(err->sys))
			err->kind = ERR_USAGE;
		return -1;
	}
	if (!empty && !ours)
		return err_set(err, ERR_USAGE, 0,
			       "it is not empty, and no earlier run of glovebox made it; give another --out, or empty it");
	if (mark_running(out->fd, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		if (io_remove_tree(out->fd, made[i], err) < 0)
			return -1;
	if (put_aside(out, "image.tar", OLD_IMAGE, err) < 0 || put_aside(out, "logs", OLD_LOGS, err) < 0)
		return -1;
	out->old_logs_fd = openat(out->fd, OLD_LOGS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (make_dir(out, "logs", &out->logs_fd, err) < 0)
		return -1;
	out->events_fd = openat(out->fd, "events.jsonl", O_WRONLY | O_CREAT | O_APPEND | O_EXCL | O_CLOEXEC, 0666);
	if (out->events_fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make 'events.jsonl'");
	return 0;
}

int outdir_open(const char *path, bool follow, const struct ident *id, struct outdir *ret, struct err *err)
{
	struct outdir out = OUTDIR_NONE;

	out.id = id;
	if (ident_caller_begin(id, err) < 0)
		return -1;
	if (ident_caller_done(id, take_over(path, follow, &out, err), err) < 0) {
		outdir_close(&out);
		return err_ctx(err, "out directory '%s'", path);
	}
	*ret = out;
	return 0;
}

/** Opens a file of an earlier run's that nobody else has a name for, and whose state is that of one with @p size bytes written anew; -1 else. */
static int open_old(int dirfd, const char *name, uint64_t size)
{
	struct stat st;
	auto_fd fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 07777) != 0644 || st.st_nlink != 1 ||
	    st.st_uid != geteuid() || (uint64_t)st.st_size != size)
		return -1;
	return move_fd(&fd);
}

/** Whether the earlier run's log is just that; then it is moved in place. */
static bool take_log(const struct outdir *out, const char *name, const void *data, size_t n)
{
	struct err ignored = {0};
	auto_buf text = {0};
	auto_fd fd = out->old_logs_fd < 0 ? -1 : open_old(out->old_logs_fd, name, n);

	return fd >= 0 && (n == 0 || (io_read_all(fd, n, &text, &ignored) == 0 && text.len == n && memcmp(text.data, data, n) == 0)) &&
	       renameat(out->old_logs_fd, name, out->logs_fd, name) == 0;
}

static int publish(const struct outdir *out, int dirfd, const char *name, const void *data, size_t n, struct err *err)
{
	if (ident_caller_begin(out->id, err) < 0)
		return -1;
	if (ident_caller_done(out->id, io_publish(dirfd, name, data, n, 0644, 0, err), err) < 0)
		return err_ctx(err, "out directory");
	return 0;
}

int outdir_write(const struct outdir *out, const char *name, const void *data, size_t n, struct err *err)
{
	return publish(out, out->fd, name, data, n, err);
}

int outdir_write_log(const struct outdir *out, const char *name, const void *data, size_t n, struct err *err)
{
	if (ident_caller_begin(out->id, err) < 0)
		return -1;
	int result = take_log(out, name, data, n) ? 0 : io_publish(out->logs_fd, name, data, n, 0644, 0, err);
	return ident_caller_done(out->id, result, err) < 0 ? err_ctx(err, "out directory") : 0;
}

/** Makes a directory in it when it is first needed. */
static int need_dir(const struct outdir *out, const char *name, int *fd, struct err *err)
{
	if (*fd >= 0)
		return 0;
	if (ident_caller_begin(out->id, err) < 0)
		return -1;
	return ident_caller_done(out->id, make_dir(out, name, fd, err), err) < 0 ? err_ctx(err, "out directory") : 0;
}

int outdir_write_report(struct outdir *out, const char *name, const void *data, size_t n, struct err *err)
{
	return need_dir(out, "junit", &out->reports_fd, err) < 0 ? -1 : publish(out, out->reports_fd, name, data, n, err);
}

int outdir_copy_tree(struct outdir *out, const char *name, int in, uint64_t n, struct err *err)
{
	static const char part[] = ".part";
	auto_fd fd = -1;

	if (need_dir(out, OUTDIR_TREES, &out->trees_fd, err) < 0 || ident_caller_begin(out->id, err) < 0)
		return -1;
	fd = openat(out->trees_fd, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int result = fd < 0 ? err_set(err, ERR_INTERNAL, errno, "make a file in the out directory") : io_copy(in, fd, n, err);
	if (result == 0 && (fchmod(fd, 0644) < 0 || renameat(out->trees_fd, part, out->trees_fd, name) < 0))
		result = err_set(err, ERR_INTERNAL, errno, "finish a file in the out directory");
	return ident_caller_done(out->id, result, err);
}

int outdir_write_json(const struct outdir *out, const char *name, const json_t *j, struct err *err)
{
	auto_buf text = {0};

	if (json_pretty(j, &text, err) < 0)
		return -1;
	return outdir_write(out, name, text.data, text.len, err);
}

int outdir_create_image(const struct outdir *out, int *ret_fd, struct err *err)
{
	if (ident_caller_begin(out->id, err) < 0)
		return -1;
	/* There may not be room for both. */
	(void)unlinkat(out->fd, OLD_IMAGE, 0);
	int fd = openat(out->fd, PART_IMAGE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int result = fd < 0 ? err_set(err, ERR_INTERNAL, errno, "make image.tar in the out directory") : 0;
	if (ident_caller_done(out->id, result, err) < 0) {
		own_fd(&fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

int outdir_publish_image(const struct outdir *out, int fd, struct err *err)
{
	if (ident_caller_begin(out->id, err) < 0)
		return -1;
	int result = 0;
	if (fchmod(fd, 0644) < 0 || renameat(out->fd, PART_IMAGE, out->fd, "image.tar") < 0)
		result = err_set(err, ERR_INTERNAL, errno, "finish image.tar in the out directory");
	return ident_caller_done(out->id, result, err);
}

/** Opens the earlier run's image.tar if it is that, and moves it; -1 else. */
static int take_image(const struct outdir *out, const struct digest *d, uint64_t size)
{
	struct digest found;
	struct err ignored = {0};
	auto_fd fd = open_old(out->fd, OLD_IMAGE, size);

	if (fd < 0 || hash_file(fd, &found, &ignored) < 0 || !digest_eq(&found, d) ||
	    renameat(out->fd, OLD_IMAGE, out->fd, PART_IMAGE) < 0)
		return -1;
	return move_fd(&fd);
}

int outdir_take_image(const struct outdir *out, const struct digest *d, uint64_t size, int *ret_fd, struct err *err)
{
	if (ident_caller_begin(out->id, err) < 0)
		return -1;
	int fd = take_image(out, d, size);
	if (ident_caller_done(out->id, 0, err) < 0) {
		own_fd(&fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

int outdir_tidy(struct outdir *out, struct err *err)
{
	if (!out->untidy)
		return 0;
	own_fd(&out->old_logs_fd);
	out->old_logs_fd = -1;
	if (ident_caller_begin(out->id, err) < 0)
		return -1;
	int result = io_remove_tree(out->fd, OLD_IMAGE, err) < 0 || io_remove_tree(out->fd, OLD_LOGS, err) < 0 ? -1 : 0;
	if (ident_caller_done(out->id, result, err) < 0)
		return err_ctx(err, "out directory");
	out->untidy = false;
	return 0;
}
