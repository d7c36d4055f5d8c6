/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/git_repo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch/url.h"

int git_work_begin(struct store *store, const struct fetch_net *net, struct git_work *ret, struct err *err)
{
	auto_git_work w = { .store = store, .net = net };

	if (store_scratch_open(store, &w.scratch, err) < 0)
		return -1;
	w.path = io_fd_path(store_scratch_fd(w.scratch));
	if (w.path == NULL || w.path[0] != '/' || strchr(w.path, '\n') != NULL)
		return err_set(err, ERR_INTERNAL, 0, "the path of the store cannot be written down for git");
	*ret = w;
	w = (struct git_work){0};
	return 0;
}

void git_work_end(struct git_work *w)
{
	store_scratch_close(w->scratch);
	free(w->path);
	*w = (struct git_work){0};
}

/* ---- origins --------------------------------------------------------------------- */

void git_origin_clear(struct git_origin *o)
{
	free(o->url);
	free(o->objects);
	*o = (struct git_origin){0};
}

/** Whether the step user reads it without more rights. What lies deeper is not asked: git says if it cannot. */
static bool is_readable(const char *objects)
{
	auto_fd dir = open(objects, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || faccessat(dir, ".", R_OK | X_OK, AT_EACCESS) < 0)
		return false;
	auto_fd pack = openat(dir, "pack", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return pack >= 0 || errno == ENOENT;
}

int git_origin_of(const struct git_work *w, const struct git_place *place, const char *url, struct git_origin *ret, struct err *err)
{
	auto_git_origin o = { .url = strdup(url), .local = true, .objects = strdup(place->objects) };

	if (o.url == NULL || o.objects == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "open a repository");
	o.read_all = store_ident(w->store)->real_root && !is_readable(o.objects);
	*ret = o;
	o = (struct git_origin){0};
	return 0;
}

static int open_local(const struct git_work *w, int dirfd, const char *path, struct git_origin *ret, struct err *err)
{
	const struct ident *id = store_ident(w->store);
	auto_git_place place = GIT_PLACE_NONE;
	auto_fd dir = -1;

	if (ident_read_begin(id, err) < 0)
		return -1;
	int result = git_place_open(dirfd, path, &place, err);
	if (result == 0)
		dir = openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_free char *name = dir < 0 ? NULL : io_fd_path(dir);
	if (ident_read_done(id, result, err) < 0)
		return -1;
	if (name == NULL)
		return err_set(err, ERR_INPUT, 0, "find the real path of '%.300s'", path);
	return git_origin_of(w, &place, name, ret, err);
}

/** Whether the URL may be asked, by the rules of all URLs. */
static int check_remote(const struct fetch_net *net, const char *url, struct err *err)
{
	auto_url parsed = {0};

	return url_parse(url, NULL, &parsed, err) < 0 ? -1 : url_allowed(&parsed, net->plain, err);
}

int git_origin_open(const struct git_work *w, int dirfd, const char *url, struct git_origin *ret, struct err *err)
{
	auto_buf path = {0};

	if (url_is_file(url))
		return url_file_path(url, &path, err) < 0 ? -1 : open_local(w, AT_FDCWD, path.data, ret, err);
	if (strstr(url, "://") == NULL)
		return open_local(w, dirfd, url, ret, err);
	if (check_remote(w->net, url, err) < 0)
		return -1;
	struct git_origin o = { .url = strdup(url) };
	if (o.url == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "open a repository");
	*ret = o;
	return 0;
}

/* ---- repositories ---------------------------------------------------------------------- */

/** All that git is told. Nothing of the caller's, the system's or a repository's own configuration is read beside it. */
static const char config[] =
	"	bare = true\n	hooksPath = /dev/null\n	fsmonitor = false\n	multiPackIndex = false\n	commitGraph = false\n"
	"	attributesFile = /dev/null\n	excludesFile = /dev/null\n"
	"[transfer]\n	fsckObjects = true\n[fetch]\n	fsckObjects = true\n	recurseSubmodules = false\n"
	"[receive]\n	autogc = false\n[gc]\n	auto = 0\n[maintenance]\n	auto = false\n"
	"[pack]\n	window = 0\n	useBitmaps = false\n	threads = 1\n"
	"[uploadpack]\n	allowAnySHA1InWant = true\n"
	"[protocol]\n	version = 2\n[http]\n	sslVerify = true\n[credential]\n	helper =\n[submodule]\n	recurse = false\n";

static int write_files(int dirfd, const struct git_name *like, const struct git_origin *from, struct err *err)
{
	bool sha256 = strlen(like->hex) == 64;
	auto_buf text = {0};
	auto_buf lend = {0};

	buf_addf(&text, "[core]\n	repositoryformatversion = %d\n%s", sha256, config);
	if (sha256)
		buf_adds(&text, "[extensions]\n	objectFormat = sha256\n");
	if (from != NULL && from->local)
		buf_addf(&lend, "%s\n", from->objects);
	if (buf_check(&text, "configuration", err) < 0 || buf_check(&lend, "path", err) < 0 ||
	    io_mkdirs(dirfd, "objects/info", 0755, err) < 0 || io_mkdirs(dirfd, "objects/pack", 0755, err) < 0 ||
	    io_mkdirs(dirfd, "refs/heads", 0755, err) < 0 ||
	    io_publish(dirfd, "HEAD", "ref: refs/heads/none\n", 21, 0644, 0, err) < 0 ||
	    io_publish(dirfd, "config", text.data, text.len, 0644, 0, err) < 0)
		return -1;
	return lend.len == 0 ? 0 : io_publish(dirfd, "objects/info/alternates", lend.data, lend.len, 0644, 0, err);
}

int git_repo_make(struct git_work *w, const struct git_name *like, const struct git_origin *from, char **ret_path, struct err *err)
{
	char name[24];
	auto_free char *path = NULL;
	auto_fd fd = -1;

	snprintf(name, sizeof name, "git%u", w->made++);
	if (asprintf(&path, "%s/%s", w->path, name) < 0) {
		path = NULL;
		return err_set(err, ERR_INTERNAL, ENOMEM, "make a repository");
	}
	if (mkdirat(store_scratch_fd(w->scratch), name, 0755) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a repository in the scratch");
	if (io_open_dir(store_scratch_fd(w->scratch), name, &fd, err) < 0 || write_files(fd, like, from, err) < 0)
		return -1;
	*ret_path = move_ptr(path);
	return 0;
}

int git_repo_fetch(struct git_work *w, const struct git_origin *from, const struct git_name *commit, char **ret_path,
		   struct err *err)
{
	auto_free char *path = NULL;
	auto_free char *lender = NULL;

	if (git_repo_make(w, commit, NULL, &path, err) < 0 || (from->local && git_repo_make(w, commit, from, &lender, err) < 0))
		return -1;
	const char *const args[] = {
		"fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance",
		"--no-show-forced-updates", "--", from->local ? lender : from->url, commit->hex, NULL,
	};
	const struct git_child_conf conf = {
		.id = store_ident(w->store), .net = w->net, .args = args, .git_dir = path, .network = !from->local,
		.protocols = from->local ? "file" : text_starts(from->url, "https:") ? "https" : "http", .read_all = from->read_all,
	};
	if (git_child_run(&conf, NULL, err) < 0)
		return err_ctx(err, "commit %s of %.300s", commit->hex, from->url);
	*ret_path = move_ptr(path);
	return 0;
}

int git_repo_serve(struct git_work *w, const char *path, bool read_all, struct git_child *ret, struct err *err)
{
	static const char *const args[] = { "cat-file", "--batch-command", NULL };
	const struct git_child_conf conf = {
		.id = store_ident(w->store), .net = w->net, .args = args, .git_dir = path, .protocols = "", .read_all = read_all,
	};

	return git_child_start(&conf, ret, err);
}
