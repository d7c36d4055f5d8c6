/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/rootfs.h"
#include "runner/source.h"

void plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	spec_free(plan->spec);
	buf_free(&plan->text);
	buf_free(&plan->lock_text);
	spec_lock_clear(&plan->lock);
	plan_profile_clear(&plan->profile);
	free(plan->sources);
	base_clear(&plan->base);
	buf_free(&plan->held_back);
	free(plan);
}

/** What the spec itself pins. */
static void take_spec(struct plan *plan)
{
	for (size_t i = 0; i < plan->spec->nsources; i++) {
		const struct spec_source *from = &plan->spec->sources[i];
		struct plan_source *s = &plan->sources[i];

		s->name = from->name;
		s->mount = from->mount;
		s->size = from->size != 0 ? from->size : STORE_ANY_SIZE;
		s->commit = from->git_commit;
		if (from->digest != NULL)
			(void)digest_parse(from->digest, &s->file);
	}
	plan->rootfs_ref = plan->spec->rootfs_ref;
}

int plan_load_spec(struct plan *plan, const char *file, struct buf *text, spec_include_fn *bring, void *arg, struct err *err)
{
	plan->text = *text;
	*text = (struct buf){0};
	if (spec_parse_with(file, plan->text.data == NULL ? "" : plan->text.data, plan->text.len, bring, arg, &plan->spec, err) < 0)
		return -1;
	if (hash_bytes(plan->text.data, plan->text.len, &plan->text_digest, err) < 0)
		return -1;
	plan->sources = calloc(plan->spec->nsources, sizeof *plan->sources);
	if (plan->sources == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "plan %s", file);
	take_spec(plan);
	return 0;
}

static void take_pin(struct plan *plan, const struct spec_pin *pin)
{
	struct plan_source *s = &plan->sources[pin->source];

	switch (pin->kind) {
	case SPEC_PIN_ROOTFS:
		plan->rootfs_ref = pin->rootfs;
		break;
	case SPEC_PIN_FILE:
		s->file = pin->digest;
		s->size = pin->size;
		break;
	case SPEC_PIN_COMMIT:
		s->commit = pin->commit;
		break;
	}
}

/** ERR_USAGE at what the spec leaves open. A rootfs is told of where it is looked for, in words that may know more. */
static int plan_nothing_open(const struct plan *plan, struct err *err)
{
	auto_spec_lock open = {0};

	if (spec_lock_wants(plan->spec, &open, err) < 0)
		return -1;
	for (size_t i = 0; i < open.n; i++)
		if (open.v[i].kind != SPEC_PIN_ROOTFS)
			return spec_error(plan->spec, plan->spec->sources[open.v[i].source].pos, ERR_USAGE, err,
					  "source '%s' is not pinned: give its %s, or run 'glovebox lock' to write " SPEC_LOCK_NAME,
					  plan->spec->sources[open.v[i].source].name,
					  open.v[i].kind == SPEC_PIN_FILE ? "digest" : "commit");
	return 0;
}

int plan_load_lock(struct plan *plan, const char *file, struct buf *text, struct err *err)
{
	plan->lock_text = *text;
	*text = (struct buf){0};
	if (plan->lock_text.len == 0)
		return plan_nothing_open(plan, err);
	if (spec_lock_parse(file, plan->lock_text.data, plan->lock_text.len, plan->spec, &plan->lock, err) < 0 ||
	    hash_bytes(plan->lock_text.data, plan->lock_text.len, &plan->lock_digest, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->lock.n; i++)
		take_pin(plan, &plan->lock.v[i]);
	return 0;
}

int plan_fetch_rootfs(struct plan *plan, struct store *store, const struct registry_conf *registry, struct err *err)
{
	struct rootfs_image image;

	if (rootfs_fetch(store, registry, plan->rootfs_ref, NULL, &image, err) < 0)
		return err_ctx(err, "'%s'", plan->rootfs_ref);
	plan->rootfs = image.tree;
	plan->rootfs_is_image = true;
	plan->rootfs_image = image.manifest;
	return 0;
}

static int find_rootfs(const struct source_finder *r, bool *ret_pinned, struct err *err)
{
	struct plan *plan = r->plan;

	*ret_pinned = true;
	return text_starts(plan->rootfs_ref, REGISTRY_PREFIX) ? plan_fetch_rootfs(plan, r->store, r->opt->registry, err)
		: rootfs_resolve(r->store, plan->rootfs_ref, &plan->rootfs, ret_pinned, err);
}

static int resolve_rootfs(const struct source_finder *r, struct err *err)
{
	const struct plan *plan = r->plan;
	const struct spec *spec = plan->spec;
	bool pinned;

	if (plan->rootfs_ref == NULL)
		return spec_error(spec, (struct spec_pos){ 1, 1 }, ERR_USAGE, err,
				  "spec.rootfs.ref is not given: a build needs a rootfs pinned by digest; import one "
				  "(glovebox rootfs import NAME SOURCE) and give its NAME@sha256:… as spec.rootfs.ref%s",
				  spec->language == NULL ? "" : ", or run 'glovebox lock SPEC --rootfs NAME'");
	if (find_rootfs(r, &pinned, err) < 0) {
		(void)err_ctx(err, "spec.rootfs.ref");
		return spec_ctx(spec, spec->rootfs_pos, err);
	}
	if (!pinned) {
		char d[DIGEST_STR_SIZE];

		return spec_error(spec, spec->rootfs_pos, ERR_USAGE, err,
				  "rootfs '%s' is not pinned: write '%s@%s' to build on what that name means here now, "
				  "or run 'glovebox lock'", plan->rootfs_ref, plan->rootfs_ref, digest_str(&plan->rootfs, d));
	}
	return 0;
}

static int resolve_base(const struct source_finder *r, struct err *err)
{
	const struct ident *id = store_ident(r->store);
	const struct spec *spec = r->plan->spec;

	if (!base_is_image(spec->artifact.base))
		return 0;
	if (registry_is_image(spec->artifact.base))
		return base_fetch(r->store, r->opt->registry, spec->artifact.base, &r->plan->base, err) < 0
			? spec_ctx(spec, spec->artifact.base_pos, err) : 0;
	if (ident_read_begin(id, err) < 0)
		return -1;
	int result = base_import(r->store, r->spec_dirfd, true, spec->artifact.base, &r->plan->base, err);
	if (ident_read_done(id, result, err) < 0)
		return spec_ctx(spec, spec->artifact.base_pos, err);
	return 0;
}

static int resolve_inputs(const struct source_finder *r, struct err *err)
{
	const struct spec *spec = r->plan->spec;

	if (plan_find_facts(r->plan, r->store, r->opt, r->spec_dirfd, err) < 0)
		return -1;
	for (size_t i = 0; i < spec->nsources; i++)
		if (source_resolve(r, i, err) < 0)
			return -1;
	if (resolve_rootfs(r, err) < 0 || resolve_base(r, err) < 0)
		return -1;
	if (plan_load_profile(r->store, r->spec_dirfd, spec->profile, &r->plan->profile, err) < 0)
		return err->kind == ERR_USAGE ? -1 : spec_ctx(spec, spec->profile_pos, err);
	return 0;
}

/** Reads the spec and the lock beside it, and opens their directory. A lock that is missing is empty. */
static int open_spec_and_lock(const char *path, struct buf *text, struct buf *lock, int *ret_dirfd, struct err *err)
{
	struct err missing = {0};

	if (open_spec(path, text, ret_dirfd, err) < 0)
		return -1;
	if (io_read_file(*ret_dirfd, SPEC_LOCK_NAME, SPEC_TEXT_MAX, lock, &missing) < 0 && missing.sys != ENOENT) {
		*err = missing;
		return -1;
	}
	return 0;
}

/** The lock is looked at only where it is needed: several specs may lie in one directory. */
static int load_lock(struct plan *plan, const char *path, struct buf *text, struct err *err)
{
	auto_spec_lock open = {0};
	auto_free char *file = NULL;

	if (spec_lock_wants(plan->spec, &open, err) < 0)
		return -1;
	if (open.n == 0)
		buf_clear(text);
	if (lock_path(path, &file) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "plan %s", path);
	return plan_load_lock(plan, file, text, err);
}

int plan_resolve(struct store *store, const char *path, const struct plan_options *opt, struct plan **ret, struct err *err)
{
	const struct ident *id = store_ident(store);
	auto_plan plan = calloc(1, sizeof *plan);
	auto_buf text = {0};
	auto_buf lock = {0};
	auto_fd dirfd = -1;

	if (plan == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "plan %s", path);
	if (ident_read_begin(id, err) < 0 || ident_read_done(id, open_spec_and_lock(path, &text, &lock, &dirfd, err), err) < 0)
		return -1;
	struct beside beside = { .id = id, .dirfd = dirfd };
	const struct source_finder r = { store, plan, dirfd, opt };
	if (plan_load_spec(plan, path, &text, bring_beside, &beside, err) < 0 || load_lock(plan, path, &lock, err) < 0 || resolve_inputs(&r, err) < 0)
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

const char *plan_image_name(const struct plan *plan)
{
	const struct spec *spec = plan->spec;

	return spec->artifact.image_name != NULL ? spec->artifact.image_name : spec->name;
}
