/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "attest/attest.h"
#include "rootfs/rootfs.h"
#include "runner/near.h"

char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/** Where something is, as far as it exists: links resolved, a last component that is not there yet kept. */
static char *real_path(const char *path)
{
	char *real = realpath(path, NULL);

	if (real != NULL || errno != ENOENT)
		return real;
	auto_free char *parent = dir_of(path);
	auto_free char *real_parent = parent == NULL ? NULL : realpath(parent, NULL);
	auto_buf joined = {0};

	if (real_parent == NULL)
		return NULL;
	buf_addf(&joined, "%s/%s", strcmp(real_parent, "/") == 0 ? "" : real_parent, text_path_name(path));
	return buf_take(&joined);
}

int open_beside(int spec_dirfd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(O_RDONLY | O_CLOEXEC | flags),
		.resolve = RESOLVE_NO_MAGICLINKS | (path[0] == '/' ? 0 : RESOLVE_BENEATH),
	};

	return (int)syscall(SYS_openat2, spec_dirfd, path, &how, sizeof how);
}

static int open_source(const struct source_finder *r, const struct spec_source *s, int *ret, struct err *err)
{
	char near[NAME_MAX + 1];
	int fd = open_beside(r->spec_dirfd, s->path, O_DIRECTORY);

	if (fd >= 0) {
		*ret = fd;
		return 0;
	}
	if (errno == EXDEV)
		return spec_error(r->plan->spec, s->pos, ERR_USAGE, err,
				  "source '%s': '%s' leads out of the spec's directory; if that is meant, give it as an absolute path",
				  s->name, s->path);
	if (errno != ENOENT)
		return spec_error(r->plan->spec, s->pos, ERR_INPUT, err, "source '%s': cannot open directory '%s': %s", s->name,
				  s->path, strerror(errno));
	if (sibling_near(r->spec_dirfd, s->path, near))
		return spec_error(r->plan->spec, s->pos, ERR_INPUT, err,
				  "source '%s': no such directory '%s' (did you mean '%s'?)", s->name, s->path, near);
	return spec_error(r->plan->spec, s->pos, ERR_INPUT, err,
			  "source '%s': no such directory '%s'; paths of sources start at the spec's own directory", s->name,
			  s->path);
}

/** A signing key that a step could read would sign anything. */
static int refuse_key_inside(const struct source_finder *r, const struct spec_source *s, const char *source_real,
			     struct err *err)
{
	if (r->opt->key_path == NULL || key_is_token(r->opt->key_path))
		return 0;
	auto_free char *key_real = real_path(r->opt->key_path);
	if (key_real == NULL)
		return err_set(err, ERR_INPUT, errno, "key '%s'", r->opt->key_path);
	if (!text_path_is_below(key_real, source_real))
		return 0;
	return spec_error(r->plan->spec, s->pos, ERR_USAGE, err,
			  "source '%s' contains the signing key '%s': steps could read it; keep keys outside of every source",
			  s->name, r->opt->key_path);
}

/** The out directory as a path inside the source, or NULL when it lies elsewhere. @p out_real keeps the memory. */
static const char *out_inside(const struct source_finder *r, const char *source_real, char **out_real)
{
	*out_real = r->opt->out_dir == NULL ? NULL : real_path(r->opt->out_dir);
	if (*out_real == NULL || !text_path_is_below(*out_real, source_real) || strcmp(*out_real, source_real) == 0)
		return NULL;
	size_t n = strlen(source_real);
	return *out_real + n + (source_real[n - 1] != '/');
}

/** A source, opened and looked at with the right to read inputs. */
struct opened {
	int fd;
	char *out_real;       /**< memory of skip_dir */
	const char *skip_dir;
};

static void opened_clear(struct opened *o)
{
	own_fd(&o->fd);
	free(o->out_real);
}

static int look_at_source(const struct source_finder *r, const struct spec_source *s, struct opened *o, struct err *err)
{
	if (open_source(r, s, &o->fd, err) < 0)
		return -1;
	auto_free char *real = io_fd_path(o->fd);
	if (real == NULL)
		return err_set(err, ERR_INPUT, errno, "source '%s': find its real path", s->name);
	o->skip_dir = out_inside(r, real, &o->out_real);
	return refuse_key_inside(r, s, real, err);
}

/** Puts a source's place and name before an error. */
static int located(const struct spec *spec, const struct spec_source *s, struct err *err)
{
	(void)err_ctx(err, "source '%s'", s->name);
	return spec_ctx(spec, s->pos, err);
}

/** A directory, snapshotted. */
static int resolve_path(const struct source_finder *r, size_t i, struct err *err)
{
	const struct ident *id = store_ident(r->store);
	const struct spec_source *s = &r->plan->spec->sources[i];
	__attribute__((cleanup(opened_clear))) struct opened o = { .fd = -1 };

	if (ident_read_begin(id, err) < 0 || ident_read_done(id, look_at_source(r, s, &o, err), err) < 0)
		return -1;
	struct fetch_local from = {
		.path = s->path,
		.dirfd = o.fd,
		.exclude = (const char *const *)s->exclude.v,
		.gitignore = s->gitignore,
		.skip_dir = o.skip_dir,
	};
	if (fetch_local(r->store, &from, &r->plan->sources[i].tree, &r->plan->sources[i].stats, err) < 0)
		return located(r->plan->spec, s, err);
	return 0;
}

int source_of_file(struct store *store, const struct spec_source *s, const struct digest *file, uint64_t size, struct plan_source *to,
		   struct err *err)
{
	if (s->unpack)
		return rootfs_unpack(store, file, &to->tree, &to->stats, err) < 0 ? err_ctx(err, "unpack '%.300s'", s->url) : 0;
	to->stats = (struct snapshot_stats){ .files = 1, .dirs = 1, .bytes = size };
	return fetch_url_tree(store, s->url, file, size, &to->tree, err);
}

/** A file, fetched unless it is there. */
static int resolve_url(const struct source_finder *r, size_t i, struct err *err)
{
	const struct spec_source *s = &r->plan->spec->sources[i];
	struct plan_source *to = &r->plan->sources[i];
	const struct fetch_url from = { .url = s->url, .digest = &to->file, .size = to->size };
	uint64_t size;

	if (fetch_url(r->store, r->opt->net, &from, &to->file, &size, err) < 0 ||
	    source_of_file(r->store, s, &to->file, size, to, err) < 0)
		return located(r->plan->spec, s, err);
	return 0;
}

static int resolve_git(const struct source_finder *r, size_t i, struct err *err)
{
	const struct spec_source *s = &r->plan->spec->sources[i];
	struct plan_source *to = &r->plan->sources[i];
	const struct fetch_git from = {
		.url = s->git_url, .dirfd = r->spec_dirfd, .commit = to->commit, .submodules = s->git_submodules,
	};

	return fetch_git(r->store, r->opt->net, &from, &to->tree, &to->stats, err) < 0 ? located(r->plan->spec, s, err) : 0;
}

int source_resolve(const struct source_finder *r, size_t i, struct err *err)
{
	const struct spec_source *s = &r->plan->spec->sources[i];

	return s->url != NULL ? resolve_url(r, i, err) : s->git_url != NULL ? resolve_git(r, i, err) : resolve_path(r, i, err);
}
