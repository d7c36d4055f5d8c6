/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/exec.h"
#include "runner/plan.h"

void exec_outside_clear(struct exec_outside *o)
{
	for (size_t i = 0; i < o->nrw; i++)
		own_fd(&o->rw[i]);
	for (size_t i = 0; i < o->noutputs; i++)
		exec_place_clear(&o->outputs[i]);
	free(o->rw);
	free(o->outputs);
	*o = (struct exec_outside){0};
}

/* ---- what lies in what ----------------------------------------------- */

/** A directory's identity, and the mount it is seen through: the root of a bind mount may be its own ancestor. */
static int identify(int fd, struct statx *ret, struct err *err)
{
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, ret) < 0)
		return err_set(err, ERR_INTERNAL, errno, "look at a directory");
	return 0;
}

static bool same_dir(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor;
}

/** Whether directory @p fd is directory @p top or lies in it, by whatever name: walks up. */
static int is_within(int fd, int top, bool *ret, struct err *err)
{
	struct statx wanted, here, above;
	auto_fd at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return err_set(err, ERR_INPUT, errno, "open it");
	if (identify(top, &wanted, err) < 0 || identify(at, &here, err) < 0)
		return -1;
	while (!same_dir(&here, &wanted)) {
		int parent = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (parent < 0)
			return err_set(err, ERR_INPUT, errno, "find out what it lies in");
		close(at);
		at = parent;
		if (identify(at, &above, err) < 0)
			return -1;
		if (same_dir(&above, &here) && above.stx_mnt_id == here.stx_mnt_id) {
			*ret = false;
			return 0;
		}
		here = above;
	}
	*ret = true;
	return 0;
}

static int refuse_within(int fd, int top, const char *how, const char *path, struct err *err)
{
	bool within;

	if (is_within(fd, top, &within, err) < 0)
		return -1;
	return within ? err_set(err, ERR_USAGE, 0, "it %s%s: choose another place", how, path) : 0;
}

/** What is written after the command must lie where the command cannot write, nor anybody. */
static int check_written(const struct exec_outside *o, const struct exec_options *opt, struct store *store, int fd, struct err *err)
{
	for (size_t i = 0; i < o->nrw; i++)
		if (refuse_within(fd, o->rw[i], "lies inside --rw ", opt->rw[i].outside, err) < 0)
			return -1;
	return refuse_within(fd, store_fd(store), "lies inside the store", "", err);
}

static int place_fd(const struct exec_place *p)
{
	return p->dir != -1 ? p->dir : p->parent;
}

/** Two outputs: neither may lie in the other, nor be the same. */
static int check_apart(const struct exec_place *a, const struct exec_place *b, const char *b_path, struct err *err)
{
	static const char how[] = "has to do with the other output ";
	bool same = false;

	if (a->dir != -1 && refuse_within(place_fd(b), a->dir, how, b_path, err) < 0)
		return -1;
	if (b->dir != -1 && refuse_within(place_fd(a), b->dir, how, b_path, err) < 0)
		return -1;
	if (a->dir == -1 && b->dir == -1 && strcmp(a->name, b->name) == 0) {
		struct statx in_a, in_b;

		if (identify(a->parent, &in_a, err) < 0 || identify(b->parent, &in_b, err) < 0)
			return -1;
		same = same_dir(&in_a, &in_b);
	}
	return same ? err_set(err, ERR_USAGE, 0, "it %s%s: choose another place", how, b_path) : 0;
}

/* ---- opening --------------------------------------------------------- */

static int open_rw(struct exec_outside *o, const struct exec_options *opt, struct store *store, struct err *err)
{
	int fd = open(opt->rw[o->nrw].outside, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_INPUT, errno, "open the directory");
	o->rw[o->nrw++] = fd;
	if (refuse_within(fd, store_fd(store), "lies inside the store", "", err) < 0)
		return -1;
	return refuse_within(store_fd(store), fd, "contains the store", "", err);
}

static int open_output(struct exec_outside *o, const struct exec_options *opt, struct store *store, struct err *err)
{
	size_t n = o->noutputs;

	if (exec_place_open(opt->outputs[n].outside, &o->outputs[n], err) < 0)
		return -1;
	o->noutputs++;
	for (size_t i = 0; i < n; i++)
		if (check_apart(&o->outputs[n], &o->outputs[i], opt->outputs[i].outside, err) < 0)
			return -1;
	return check_written(o, opt, store, place_fd(&o->outputs[n]), err);
}

/** The receipt's place, as far as is known by now; where it cannot be, none is written. */
static int check_receipt(const struct exec_outside *o, const struct exec_options *opt, struct store *store, struct err *err)
{
	if (opt->receipt == NULL || opt->receipt->dir == -1)
		return 0;
	if (check_written(o, opt, store, opt->receipt->dir, err) < 0) {
		exec_receipt_clear(opt->receipt);
		return err_ctx(err, "--receipt");
	}
	return 0;
}

/** Should this process be killed, nobody shall take an earlier run's receipt for its own. */
static int remove_old_receipt(const struct exec_receipt *r, struct err *err)
{
	if (r != NULL && r->dir != -1 && unlinkat(r->dir, r->name, 0) < 0 && errno != ENOENT)
		return err_set(err, ERR_USAGE, errno, "--receipt: remove the older '%s'", r->name);
	return 0;
}

/** As the caller. */
static int open_all(struct exec_outside *o, const struct exec_options *opt, struct store *store, struct err *err)
{
	/* Not in the store, before all else: the failure of all else is written there. */
	if (check_receipt(o, opt, store, err) < 0)
		return -1;
	for (size_t i = 0; i < opt->nrw; i++)
		if (open_rw(o, opt, store, err) < 0)
			return err_ctx(err, "--rw %s:%s", opt->rw[i].outside, opt->rw[i].inside);
	if (check_receipt(o, opt, store, err) < 0)
		return -1;
	for (size_t i = 0; i < opt->noutputs; i++)
		if (open_output(o, opt, store, err) < 0)
			return err_ctx(err, "--output %s=%s", opt->outputs[i].inside, opt->outputs[i].outside);
	return remove_old_receipt(opt->receipt, err);
}

int exec_outside_open(struct store *store, const struct exec_options *opt, struct exec_outside *ret, struct err *err)
{
	const struct ident *id = store_ident(store);
	struct exec_outside o = {
		.rw = calloc(opt->nrw + 1, sizeof *o.rw),
		.outputs = calloc(opt->noutputs + 1, sizeof *o.outputs),
	};
	int result = 0;

	if (o.rw == NULL || o.outputs == NULL)
		result = err_set(err, ERR_INTERNAL, ENOMEM, "open what is outside");
	else if ((result = ident_caller_begin(id, err)) == 0)
		result = ident_caller_done(id, open_all(&o, opt, store, err), err);
	if (result < 0) {
		exec_outside_clear(&o);
		return -1;
	}
	*ret = o;
	return 0;
}

/* ---- inside ---------------------------------------------------------- */

static const struct exec_bind *nth(const struct exec_options *opt, size_t i, const char **ret_option)
{
	*ret_option = i < opt->nro ? "ro" : i < opt->nro + opt->nrw ? "rw" : "output";
	if (i < opt->nro)
		return &opt->ro[i];
	i -= opt->nro;
	return i < opt->nrw ? &opt->rw[i] : &opt->outputs[i - opt->nrw];
}

int exec_check_inside(const struct exec_options *opt, struct err *err)
{
	size_t n = opt->nro + opt->nrw + opt->noutputs;
	const char *a_option, *b_option;

	for (size_t i = 0; i < n; i++) {
		const struct exec_bind *a = nth(opt, i, &a_option);

		for (size_t k = 0; k < i; k++) {
			const struct exec_bind *b = nth(opt, k, &b_option);

			if (text_path_is_below(a->inside, b->inside) || text_path_is_below(b->inside, a->inside))
				return err_set(err, ERR_USAGE, 0, "--%s at %s and --%s at %s: one would hide the other; give them places apart",
					       b_option, b->inside, a_option, a->inside);
		}
	}
	return 0;
}
