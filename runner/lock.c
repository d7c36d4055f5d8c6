/* SPDX-License-Identifier: Apache-2.0 */
/* Writing buildspec.lock: what a spec leaves open, pinned to what it means here and now. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "rootfs/rootfs.h"
#include "runner/source.h"

/** What pinning needs. */
struct locking {
	struct store *store;
	const struct fetch_net *net;
	const struct spec *spec;
	const struct registry_conf *registry;
	const char *rootfs;   /**< or NULL */
	int dirfd;            /**< the spec's directory */
};

/** An image of a registry, by the digest that its tag means now, or that is given. It is fetched: what a lock pins is here. */
static int pin_image(const struct locking *l, const char *name, struct spec_pin *pin, struct err *err)
{
	auto_registry_ref ref = {0};
	struct registry_image image;
	struct rootfs_image rootfs;
	char digest[DIGEST_STR_SIZE];

	if (registry_ref_parse(name + strlen(REGISTRY_PREFIX), &ref, err) < 0)
		return -1;
	image.named = ref.digest;
	if (!ref.pinned && registry_resolve(l->registry, &ref, NULL, &image, err) < 0)
		return -1;
	if (asprintf(&pin->rootfs, REGISTRY_PREFIX "%s/%s@%s", ref.host, ref.path, digest_str(&image.named, digest)) < 0) {
		pin->rootfs = NULL;
		return err_set(err, ERR_INTERNAL, ENOMEM, "write a lock");
	}
	return rootfs_fetch(l->store, l->registry, pin->rootfs, NULL, &rootfs, err);
}

static int pin_rootfs(const struct locking *l, struct spec_pin *pin, struct err *err)
{
	const char *name = l->rootfs != NULL ? l->rootfs : l->spec->rootfs_ref;
	char digest[DIGEST_STR_SIZE];
	struct digest d;

	if (name == NULL)
		return err_set(err, ERR_USAGE, 0, "%s: which root filesystem is language '%s'%s%s here? give --rootfs NAME", l->spec->file,
			       l->spec->language, l->spec->runtime_version != NULL ? " " : "",
			       l->spec->runtime_version != NULL ? l->spec->runtime_version : "");
	if (text_starts(name, REGISTRY_PREFIX))
		return pin_image(l, name, pin, err) < 0 ? err_ctx(err, "rootfs '%s'", name) : 0;
	if (store_get_name(l->store, name, &d, err) < 0)
		return -1;
	if (asprintf(&pin->rootfs, "%s@%s", name, digest_str(&d, digest)) < 0) {
		pin->rootfs = NULL;
		return err_set(err, ERR_INTERNAL, ENOMEM, "write a lock");
	}
	return 0;
}

static int pin_commit(const struct locking *l, const struct spec_source *s, struct spec_pin *pin, struct err *err)
{
	const struct fetch_git from = { .url = s->git_url, .dirfd = l->dirfd };
	char commit[FETCH_COMMIT_SIZE];

	if (fetch_git_ref(l->store, l->net, &from, s->git_ref, commit, err) < 0)
		return -1;
	pin->commit = strdup(commit);
	return pin->commit == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "write a lock") : 0;
}

/** A file is fetched once, whatever it is: that is what its pin says. */
static int pin_file(const struct locking *l, const struct spec_source *s, struct spec_pin *pin, struct err *err)
{
	const struct fetch_url from = { .url = s->url, .size = s->size != 0 ? s->size : STORE_ANY_SIZE };

	return fetch_url(l->store, l->net, &from, &pin->digest, &pin->size, err);
}

static int pin_one(const struct locking *l, struct spec_pin *pin, struct err *err)
{
	const struct spec_source *s = &l->spec->sources[pin->source];

	if (pin->kind == SPEC_PIN_ROOTFS)
		return pin_rootfs(l, pin, err);
	if ((pin->kind == SPEC_PIN_FILE ? pin_file(l, s, pin, err) : pin_commit(l, s, pin, err)) == 0)
		return 0;
	(void)err_ctx(err, "source '%s'", s->name);
	return spec_ctx(l->spec, s->pos, err);
}

static int publish(const struct ident *id, int dirfd, const struct buf *text, struct err *err)
{
	if (ident_caller_begin(id, err) < 0)
		return -1;
	int result = io_publish(dirfd, SPEC_LOCK_NAME, text->data, text->len, 0644, 0, err);
	result = ident_caller_done(id, result, err);
	return result < 0 ? err_ctx(err, "write " SPEC_LOCK_NAME) : 0;
}

int lock_write(struct store *store, const char *path, const char *rootfs, const struct fetch_net *net,
	       const struct registry_conf *registry, struct buf *ret_text, struct err *err)
{
	struct locking l = { .store = store, .net = net, .registry = registry, .rootfs = rootfs, .dirfd = -1 };
	auto_spec_lock lock = {0};
	auto_spec spec = NULL;
	auto_buf text = {0};
	auto_fd dirfd = -1;

	struct beside beside = { .id = store_ident(store) };

	if (ident_read_begin(beside.id, err) < 0 || ident_read_done(beside.id, open_spec(path, &text, &dirfd, err), err) < 0)
		return -1;
	beside.dirfd = dirfd;
	if (spec_parse_with(path, text.data == NULL ? "" : text.data, text.len, bring_beside, &beside, &spec, err) < 0 ||
	    spec_lock_wants(spec, &lock, err) < 0)
		return -1;
	if (rootfs != NULL && (lock.n == 0 || lock.v[0].kind != SPEC_PIN_ROOTFS))
		return err_set(err, ERR_USAGE, 0, "--rootfs %s: %s does not leave its root filesystem open", rootfs, path);
	l.spec = spec;
	l.dirfd = dirfd;
	for (size_t i = 0; i < lock.n; i++)
		if (pin_one(&l, &lock.v[i], err) < 0)
			return -1;
	if (spec_lock_write(&lock, ret_text, err) < 0)
		return -1;
	return publish(store_ident(store), dirfd, ret_text, err);
}

int lock_path(const char *path, char **ret)
{
	const char *slash = strrchr(path, '/');

	if (asprintf(ret, "%.*s" SPEC_LOCK_NAME, slash == NULL ? 0 : (int)(slash + 1 - path), path) >= 0)
		return 0;
	*ret = NULL;
	return -1;
}

int lock_check(const char *path, const struct spec *spec, struct err *err)
{
	auto_free char *file = NULL;
	auto_spec_lock open = {0};
	auto_spec_lock lock = {0};
	auto_buf text = {0};

	if (spec_lock_wants(spec, &open, err) < 0)
		return -1;
	if (lock_path(path, &file) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "check %s", path);
	if (open.n == 0)
		return 0;
	if (io_read_file(AT_FDCWD, file, SPEC_TEXT_MAX, &text, err) < 0)
		return err->sys == ENOENT ? 0 : -1;
	return spec_lock_parse(file, text.data == NULL ? "" : text.data, text.len, spec, &lock, err);
}
