/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/near.h"
#include "runner/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "fetch/fetch.h"
#include "rootfs/rootfs.h"

void plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	spec_free(plan->spec);
	buf_free(&plan->text);
	plan_profile_clear(&plan->profile);
	free(plan->sources);
	free(plan);
}

int plan_load_spec(struct plan *plan, const char *file, struct buf *text, struct err *err)
{
	plan->text = *text;
	*text = (struct buf){0};
	if (spec_parse(file, plan->text.data == NULL ? "" : plan->text.data, plan->text.len, &plan->spec, err) < 0)
		return -1;
	if (hash_bytes(plan->text.data, plan->text.len, &plan->text_digest, err) < 0)
		return -1;
	plan->sources = calloc(plan->spec->nsources, sizeof *plan->sources);
	if (plan->sources == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "plan %s", file);
	for (size_t i = 0; i < plan->spec->nsources; i++) {
		plan->sources[i].name = plan->spec->sources[i].name;
		plan->sources[i].mount = plan->spec->sources[i].mount;
	}
	return 0;
}

/** The directory part of a path: "." for a bare name. Owned by the caller. */
static char *dir_of(const char *path)
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

/** What resolving one source needs. */
struct resolving {
	struct store *store;
	struct plan *plan;
	int spec_dirfd;
	const char *out_dir, *key_path;
};

/** Opens a source's directory. A relative path stays within the spec's own directory, links included: what a spec
 *  takes from elsewhere it has to name outright. */
static int open_source_dir(int spec_dirfd, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS | (path[0] == '/' ? 0 : RESOLVE_BENEATH),
	};

	return (int)syscall(SYS_openat2, spec_dirfd, path, &how, sizeof how);
}

static int open_source(const struct resolving *r, const struct spec_source *s, int *ret, struct err *err)
{
	char near[NAME_MAX + 1];
	int fd = open_source_dir(r->spec_dirfd, s->path);

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
static int refuse_key_inside(const struct resolving *r, const struct spec_source *s, const char *source_real,
			     struct err *err)
{
	if (r->key_path == NULL)
		return 0;
	auto_free char *key_real = real_path(r->key_path);
	if (key_real == NULL)
		return err_set(err, ERR_INPUT, errno, "key '%s'", r->key_path);
	if (!text_path_is_below(key_real, source_real))
		return 0;
	return spec_error(r->plan->spec, s->pos, ERR_USAGE, err,
			  "source '%s' contains the signing key '%s': steps could read it; keep keys outside of every source",
			  s->name, r->key_path);
}

/** The out directory as a path inside the source, or NULL when it lies elsewhere. @p out_real keeps the memory. */
static const char *out_inside(const struct resolving *r, const char *source_real, char **out_real)
{
	*out_real = r->out_dir == NULL ? NULL : real_path(r->out_dir);
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

static int look_at_source(const struct resolving *r, const struct spec_source *s, struct opened *o, struct err *err)
{
	if (open_source(r, s, &o->fd, err) < 0)
		return -1;
	auto_free char *real = io_fd_path(o->fd);
	if (real == NULL)
		return err_set(err, ERR_INPUT, errno, "source '%s': find its real path", s->name);
	o->skip_dir = out_inside(r, real, &o->out_real);
	return refuse_key_inside(r, s, real, err);
}

static int resolve_source(const struct resolving *r, size_t i, struct err *err)
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
		return err_ctx(err, "%s:%u:%u: source '%s'", r->plan->spec->file, s->pos.line, s->pos.col, s->name);
	return 0;
}

static int resolve_rootfs(struct store *store, struct plan *plan, struct err *err)
{
	const struct spec *spec = plan->spec;
	bool pinned;

	if (spec->rootfs_ref == NULL)
		return spec_error(spec, (struct spec_pos){ 1, 1 }, ERR_USAGE, err,
				  "spec.rootfs.ref is not given: a build needs a rootfs pinned by digest; import one "
				  "(glovebox rootfs import NAME SOURCE) and give its NAME@sha256:… as spec.rootfs.ref");
	if (rootfs_resolve(store, spec->rootfs_ref, &plan->rootfs, &pinned, err) < 0)
		return err_ctx(err, "%s:%u:%u: spec.rootfs.ref", spec->file, spec->rootfs_pos.line, spec->rootfs_pos.col);
	if (!pinned) {
		char d[DIGEST_STR_SIZE];

		return spec_error(spec, spec->rootfs_pos, ERR_USAGE, err,
				  "rootfs '%s' is not pinned: write '%s@%s' to build on what that name means here now",
				  spec->rootfs_ref, spec->rootfs_ref, digest_str(&plan->rootfs, d));
	}
	return 0;
}

static int resolve_inputs(const struct resolving *r, struct err *err)
{
	const struct spec *spec = r->plan->spec;

	for (size_t i = 0; i < spec->nsources; i++)
		if (resolve_source(r, i, err) < 0)
			return -1;
	if (resolve_rootfs(r->store, r->plan, err) < 0)
		return -1;
	if (plan_load_profile(r->store, r->spec_dirfd, spec->profile, &r->plan->profile, err) < 0)
		return err->kind == ERR_USAGE ? -1 : err_ctx(err, "%s:%u:%u", spec->file, spec->profile_pos.line,
							    spec->profile_pos.col);
	return 0;
}

/** Reads the spec and opens its directory, with the right to read inputs. */
static int open_spec(const char *path, struct buf *text, int *ret_dirfd, struct err *err)
{
	auto_free char *dir = dir_of(path);

	if (dir == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "plan %s", path);
	if (io_read_file(AT_FDCWD, path, SPEC_TEXT_MAX, text, err) < 0)
		return -1;
	*ret_dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_dirfd < 0 ? err_set(err, ERR_INPUT, errno, "open directory '%s'", dir) : 0;
}

int plan_resolve(struct store *store, const char *path, const char *out_dir, const char *key_path, struct plan **ret,
		 struct err *err)
{
	const struct ident *id = store_ident(store);
	auto_plan plan = calloc(1, sizeof *plan);
	auto_buf text = {0};
	auto_fd dirfd = -1;

	if (plan == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "plan %s", path);
	if (ident_read_begin(id, err) < 0 || ident_read_done(id, open_spec(path, &text, &dirfd, err), err) < 0)
		return -1;
	struct resolving r = { store, plan, dirfd, out_dir, key_path };
	if (plan_load_spec(plan, path, &text, err) < 0 || resolve_inputs(&r, err) < 0)
		return -1;
	*ret = move_ptr(plan);
	return 0;
}

int plan_refuse_unsupported(const struct plan *plan, struct err *err)
{
	if (plan->spec->nunsupported == 0)
		return 0;
	const struct spec_unsupported *u = &plan->spec->unsupported[0];
	return spec_error(plan->spec, u->pos, ERR_USAGE, err,
			  "%s: this version of glovebox cannot evaluate it, and does not run as if it had; "
			  "remove it to run (check and plan accept it)", u->field);
}

int plan_argv(const struct spec_command *command, const char ***ret, struct err *err)
{
	size_t n = command->shell != NULL ? 4 : command->argv.n;
	const char **argv = calloc(n + 1, sizeof *argv);

	if (argv == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "build an argument list");
	if (command->shell != NULL) {
		argv[0] = "/bin/sh";
		argv[1] = "-e";
		argv[2] = "-c";
		argv[3] = command->shell;
	} else {
		for (size_t i = 0; i < n; i++)
			argv[i] = command->argv.v[i];
	}
	*ret = argv;
	return 0;
}
