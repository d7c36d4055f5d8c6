/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch/fetch.h"
#include "rootfs/rootfs.h"
#include "runner/exec.h"
#include "runner/harvest.h"
#include "runner/left.h"
#include "runner/limit.h"
#include "runner/plan.h"
#include "runner/refusals.h"
#include "runner/work.h"
#include "spec/spec.h"

/** SOURCE_DATE_EPOCH of a command that no spec speaks for. */
#define EXEC_EPOCH ROOTFS_MTIME

/** Exit codes of glovebox's own, as timeout(1), env(1) and the shell have them. */
enum { EXIT_TIMEOUT = 124, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNAL = 128, EXIT_LIMITED = 137 };

void exec_report_clear(struct exec_report *r)
{
	json_decref(r->refused);
	json_decref(r->receipt);
	free(r->notes);
	*r = (struct exec_report){0};
}

/** An overlay's upper, work and lower directory. */
#define PATHS_A_MOUNT 3

/** One command on its way into the box. */
struct boxing {
	struct store *store;
	const struct exec_options *opt;
	struct exec_outside outside;
	struct store_scratch *scratch;  /**< where snapshots and outputs lie; NULL without any */
	char *rootfs_path;
	int rootfs_held;          /**< so that it stays */
	struct plan_profile profile;
	struct sandbox_mount *mounts;
	size_t nmounts;
	char **paths;             /**< what the mounts' places point to */
	size_t npaths;
	json_t *snapshots;        /**< {inside: tree digest} of --ro, for the receipt; NULL where none is wanted */
	json_t *outputs;          /**< what became of each: [{"path", "tree", …}]; NULL likewise */
	struct buf notes;         /**< lines for people */
	struct left left;         /**< in all outputs, where it is more than may be; else empty */
};

static void boxing_clear(struct boxing *b)
{
	for (size_t i = 0; i < b->npaths; i++)
		free(b->paths[i]);
	free(b->paths);
	free(b->mounts);
	free(b->rootfs_path);
	plan_profile_clear(&b->profile);
	json_decref(b->snapshots);
	json_decref(b->outputs);
	buf_free(&b->notes);
	left_clear(&b->left);
	exec_outside_clear(&b->outside);
	store_scratch_close(b->scratch);
	own_fd(&b->rootfs_held);
}

static bool wants_receipt(const struct boxing *b)
{
	return b->opt->receipt != NULL && b->opt->receipt->dir != -1;
}

/** A place of the mount table; @p path becomes the table's. */
static struct sandbox_path keep(struct boxing *b, enum sandbox_where where, char *path)
{
	b->paths[b->npaths++] = path;
	return (struct sandbox_path){ where, path };
}

/** Makes directory "<kind>.<i>" in the scratch; @p ret is its place below the store. */
static int scratch_dir(struct boxing *b, const char *kind, size_t i, struct sandbox_path *ret, struct err *err)
{
	char name[32];
	char *path;

	snprintf(name, sizeof name, "%s.%zu", kind, i);
	if (mkdirat(store_scratch_fd(b->scratch), name, 0755) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make scratch directory '%s'", name);
	if (asprintf(&path, "%s/%s", store_scratch_path(b->scratch), name) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "scratch directory '%s'", name);
	*ret = keep(b, SANDBOX_IN_BASE, path);
	return 0;
}

/** Opens a --ro directory with the right to read inputs. */
static int open_ro(const struct boxing *b, const char *path, int *ret_fd, struct err *err)
{
	const struct ident *id = store_ident(b->store);

	if (ident_read_begin(id, err) < 0)
		return -1;
	auto_fd fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 ? err_set(err, ERR_INPUT, errno, "open directory '%s'", path) : 0;
	if (ident_read_done(id, result, err) < 0)
		return -1;
	*ret_fd = move_fd(&fd);
	return 0;
}

static int snapshot(const struct boxing *b, const char *path, struct digest *ret, struct err *err)
{
	struct snapshot_stats stats;
	auto_fd fd = -1;

	if (open_ro(b, path, &fd, err) < 0)
		return -1;
	return fetch_local(b->store, &(struct fetch_local){ .path = path, .dirfd = fd }, ret, &stats, err);
}

static int add_ro(struct boxing *b, size_t i, struct err *err)
{
	const struct exec_bind *bind = &b->opt->ro[i];
	char digest[DIGEST_STR_SIZE];
	struct sandbox_mount m = { .kind = SANDBOX_BIND_RO, .target = bind->inside };
	struct digest tree;
	auto_fd fd = -1;

	if (snapshot(b, bind->outside, &tree, err) < 0 || scratch_dir(b, "ro", i, &m.source, err) < 0 ||
	    io_open_dir(store_fd(b->store), m.source.path, &fd, err) < 0 || rootfs_materialise(b->store, &tree, fd, err) < 0)
		return err_ctx(err, "--ro %s:%s", bind->outside, bind->inside);
	b->mounts[b->nmounts++] = m;
	if (b->snapshots == NULL)
		return 0;
	return json_object_set_new(b->snapshots, bind->inside, json_string(digest_str(&tree, digest))) < 0
		       ? err_set(err, ERR_INTERNAL, ENOMEM, "receipt") : 0;
}

/** The path of what was opened and checked, as the step user finds it. */
static int add_rw(struct boxing *b, size_t i, struct err *err)
{
	const struct exec_bind *bind = &b->opt->rw[i];
	char *real = io_fd_path(b->outside.rw[i]);

	if (real == NULL)
		return err_set(err, ERR_INPUT, errno, "--rw %s:%s", bind->outside, bind->inside);
	b->mounts[b->nmounts++] = (struct sandbox_mount){ .kind = SANDBOX_BIND_RW, .target = bind->inside,
							  .source = keep(b, SANDBOX_IN_HOST, real) };
	return 0;
}

/** An overlay over an empty directory, not a bind: that would tell inside where on the host it lies. */
static int add_output(struct boxing *b, size_t i, struct err *err)
{
	struct sandbox_mount m = { .kind = SANDBOX_OVERLAY, .target = b->opt->outputs[i].inside, .nlowers = 1 };

	if (scratch_dir(b, "output", i, &m.upper, err) < 0 || scratch_dir(b, "work", i, &m.work, err) < 0 ||
	    scratch_dir(b, "empty", i, &m.lowers[0], err) < 0)
		return -1;
	b->mounts[b->nmounts++] = m;
	return 0;
}

/** Adds all mounts of one option; a caller that has lost patience is heard after each. */
static int add_each(struct boxing *b, size_t n, int (*add)(struct boxing *, size_t, struct err *), struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (add(b, i, err) < 0 || work_check_cancel(b->opt->cancel_fd, err) < 0)
			return -1;
	return 0;
}

static int add_mounts(struct boxing *b, struct err *err)
{
	size_t n = b->opt->nro + b->opt->nrw + b->opt->noutputs;

	b->mounts = calloc(n + 1, sizeof *b->mounts);
	b->paths = calloc(n * PATHS_A_MOUNT + 1, sizeof *b->paths);
	b->snapshots = wants_receipt(b) ? json_object() : NULL;
	b->outputs = wants_receipt(b) ? json_array() : NULL;
	if (b->mounts == NULL || b->paths == NULL || (wants_receipt(b) && (b->snapshots == NULL || b->outputs == NULL)))
		return err_set(err, ERR_INTERNAL, ENOMEM, "mount table");
	if (add_each(b, b->opt->nro, add_ro, err) < 0 || add_each(b, b->opt->nrw, add_rw, err) < 0)
		return -1;
	return add_each(b, b->opt->noutputs, add_output, err);
}

/** Finds what the command needs before anything is made. */
static int prepare(struct boxing *b, struct err *err)
{
	struct digest rootfs;
	bool pinned;

	if (exec_outside_open(b->store, b->opt, &b->outside, err) < 0 || exec_check_inside(b->opt, err) < 0)
		return -1;
	if (sandbox_check_limits(&b->opt->limits, err) < 0 ||
	    rootfs_resolve(b->store, b->opt->rootfs, &rootfs, &pinned, err) < 0 ||
	    b->opt->load_profile(b->store, AT_FDCWD, b->opt->profile, &b->profile, err) < 0 ||
	    rootfs_ensure(b->store, &rootfs, &b->rootfs_path, err) < 0 || store_hold_rootfs(b->store, &rootfs, &b->rootfs_held, err) < 0)
		return -1;
	if (b->opt->nro + b->opt->noutputs > 0 && store_scratch_open(b->store, &b->scratch, err) < 0)
		return -1;
	return add_mounts(b, err);
}

/** The environment: glovebox's own, then --env in order. */
static int environment(const struct exec_options *opt, char ***ret, struct err *err)
{
	auto_free struct spec_pair *pairs = calloc(opt->nenv + 1, sizeof *pairs);
	int result = pairs == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "environment") : 0;
	size_t n = 0;

	for (; result == 0 && n < opt->nenv; n++) {
		const char *eq = strchr(opt->env[n], '=');

		pairs[n].name = strndup(opt->env[n], (size_t)(eq - opt->env[n]));
		pairs[n].value = strdup(eq + 1);
		if (pairs[n].name == NULL || pairs[n].value == NULL)
			result = err_set(err, ERR_INTERNAL, ENOMEM, "environment");
	}
	if (result == 0)
		result = plan_base_env(EXEC_EPOCH, pairs, n, ret, err);
	for (size_t i = 0; i < n; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
	return result;
}

static int run_boxed(const struct boxing *b, const char *const *env, struct sandbox_result *ret, struct err *err)
{
	const struct exec_options *opt = b->opt;
	const struct ident *id = store_ident(b->store);
	const struct sandbox_conf conf = {
		.base_fd = store_fd(b->store),
		.mountpoint = STORE_MOUNTPOINT,
		.rootfs = b->rootfs_path,
		.mounts = b->mounts, .nmounts = b->nmounts,
		.argv = opt->argv,
		.envp = env,
		.workdir = opt->workdir == NULL ? "/" : opt->workdir,
		.hostname = "glovebox",
		.inner_uid = 1000, .inner_gid = 1000,
		.outer_uid = id->step_uid, .outer_gid = id->step_gid,
		.network = opt->loopback ? SANDBOX_NET_LOOPBACK : SANDBOX_NET_NONE,
		.filter = b->profile.filter, .filter_len = b->profile.filter_len,
		.floor = b->profile.floor, .floor_len = b->profile.floor_len,
		.limits = opt->limits,
		.relay = opt->relay,
		.cancel_fd = opt->cancel_fd,
		.no_receipt = !wants_receipt(b),
		.learn = opt->learn, .learn_arg = opt->learn_arg,
	};
	return sandbox_run(&conf, ret, err);
}

int exec_exit_code(const struct sandbox_result *r)
{
	switch (r->end) {
	case SANDBOX_EXITED:
		return r->code;
	case SANDBOX_SIGNALED:
		return EXIT_SIGNAL + r->code;
	case SANDBOX_TIMEOUT:
		return EXIT_TIMEOUT;
	case SANDBOX_LIMITED:
		return EXIT_LIMITED;
	case SANDBOX_NOT_FOUND:
		return EXIT_NOT_FOUND;
	case SANDBOX_NOT_EXECUTABLE:
		return EXIT_NOT_EXECUTABLE;
	case SANDBOX_CANCELLED:
		break;
	}
	return ERR_INTERRUPTED;
}

static const char *end_name(enum sandbox_end end)
{
	static const char *const names[] = {
		[SANDBOX_EXITED] = "exited", [SANDBOX_SIGNALED] = "signaled", [SANDBOX_TIMEOUT] = "timeout",
		[SANDBOX_LIMITED] = "limited",
		[SANDBOX_CANCELLED] = "cancelled", [SANDBOX_NOT_FOUND] = "notFound",
		[SANDBOX_NOT_EXECUTABLE] = "notExecutable",
	};

	return names[end];
}

/** The directory that an output is in, as the command left it. */
static int open_left(const struct boxing *b, size_t i, int *ret_fd, struct err *err)
{
	return io_open_dir(store_fd(b->store), b->mounts[b->opt->nro + b->opt->nrw + i].upper.path, ret_fd, err);
}

/** Adds to the receipt what became of an output. */
static int account_for(struct boxing *b, const char *inside, const struct harvest *h, struct err *err)
{
	auto_json one = json_pack("{s:o}", "path", json_bytes(inside, strlen(inside)));

	if (harvest_add_json(one, h, err) < 0)
		return -1;
	return json_array_append(b->outputs, one) < 0 ? err_set(err, ERR_INTERNAL, ENOMEM, "account for an output") : 0;
}

/** Writes down what became of an output: for the receipt, where one is wanted, and for people, where there is something to say. */
static int note_output(struct boxing *b, size_t i, const struct harvest *h, struct err *err)
{
	const char *inside = b->opt->outputs[i].inside;

	if (wants_receipt(b) && account_for(b, inside, h, err) < 0)
		return -1;
	if (h->odd + h->setid == 0)
		return 0;
	buf_adds(&b->notes, "output ");
	text_printable(&b->notes, inside, strlen(inside));
	buf_adds(&b->notes, ": ");
	harvest_text(&b->notes, h);
	buf_addc(&b->notes, '\n');
	return buf_check(&b->notes, "notes", err);
}

/** Makes one output: what lies in its scratch directory, in normal form, as a directory of the caller's. */
static int hand_over(struct boxing *b, size_t i, struct err *err)
{
	const struct ident *id = store_ident(b->store);
	auto_harvest h = {0};
	auto_fd fd = -1;

	if (open_left(b, i, &fd, err) < 0 || harvest(b->store, fd, &h, err) < 0 || note_output(b, i, &h, err) < 0 ||
	    ident_caller_begin(id, err) < 0)
		return -1;
	return ident_caller_done(id, exec_place_fill(&b->outside.outputs[i], b->store, &h.tree, err), err);
}

/** Whether it has left more than it may: to read that, hash it and write it again would only add to it. */
static bool has_left_too_much(const struct sandbox_result *r)
{
	return r->end == SANDBOX_LIMITED && (r->limit == SANDBOX_LIMIT_WORK || r->limit == SANDBOX_LIMIT_WORK_FILES ||
					     r->limit == SANDBOX_LIMIT_DISK || r->limit == SANDBOX_LIMIT_DISK_FILES);
}

/** Measures all outputs together before any of them is read; what is too much becomes the command's end. */
static int measure(struct boxing *b, struct sandbox_result *r, bool *ret_too_much, struct err *err)
{
	const struct sandbox_limits *limits = &b->opt->limits;
	auto_left left = {0};

	for (size_t i = 0; i < b->opt->noutputs; i++) {
		auto_fd fd = -1;

		if (open_left(b, i, &fd, err) < 0 || left_add(&left, fd, sandbox_limit_of(limits, SANDBOX_LIMIT_WORK_FILES), err) < 0)
			return err_ctx(err, "--output %s=%s", b->opt->outputs[i].inside, b->opt->outputs[i].outside);
	}
	*ret_too_much = left_too_much(&left, limits, r);
	if (*ret_too_much) {
		b->left = left;
		left = (struct left){0};
		left_text(&b->notes, &b->left);
		buf_adds(&b->notes, "; nothing of it is handed over\n");
	}
	return buf_check(&b->notes, "notes", err);
}

static int hand_over_all(struct boxing *b, struct sandbox_result *r, struct err *err)
{
	bool too_much = has_left_too_much(r);

	if (!too_much && measure(b, r, &too_much, err) < 0)
		return -1;
	if (too_much)
		return 0;
	for (size_t i = 0; i < b->opt->noutputs; i++)
		if (hand_over(b, i, err) < 0)
			return err_ctx(err, "--output %s=%s", b->opt->outputs[i].inside, b->opt->outputs[i].outside);
	return 0;
}

/** A new reference. */
static json_t *make_receipt(const struct boxing *b, const struct sandbox_result *r, json_t *refused)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:O, s:O, s:O, s:O}", "schema", RECEIPT_SCHEMA, "glovebox", GB_VERSION,
			 "end", end_name(r->end), "code", r->code, "wallUs", (json_int_t)r->wall_us,
			 "userUs", (json_int_t)r->user_us, "systemUs", (json_int_t)r->sys_us,
			 "maxRssKiB", (json_int_t)r->max_rss_kib, "snapshots", b->snapshots, "outputs", b->outputs, "refused", refused,
			 "sandbox", r->receipt);
}

static int report(struct boxing *b, const struct sandbox_result *r, struct exec_report *ret, struct err *err)
{
	auto_json refused = NULL;
	json_t *receipt = NULL;

	if ((wants_receipt(b) || r->nrefused != 0) && refusals_json(&b->profile, r, &refused, err) < 0)
		return -1;
	if (wants_receipt(b) && ((receipt = make_receipt(b, r, refused)) == NULL || limit_add_json(receipt, r, &b->left, err) < 0)) {
		json_decref(receipt);
		return err_set(err, ERR_INTERNAL, ENOMEM, "write the receipt");
	}
	*ret = (struct exec_report){ .exit_code = exec_exit_code(r), .end = end_name(r->end), .code = r->code, .limit = r->limit,
				     .limit_value = r->limit_value, .refused = move_ptr(refused), .receipt = receipt,
				     .notes = b->notes.len == 0 ? NULL : buf_take(&b->notes) };
	return 0;
}

int exec_command(struct store *store, const struct exec_options *opt, struct exec_report *ret, struct err *err)
{
	__attribute__((cleanup(boxing_clear))) struct boxing b = { .store = store, .opt = opt, .rootfs_held = -1 };
	auto_sandbox_result r = { .view_fd = -1 };
	char **env = NULL;

	if (prepare(&b, err) < 0 || environment(opt, &env, err) < 0)
		return -1;
	store_pause(store);
	int result = run_boxed(&b, (const char *const *)env, &r, err);
	plan_env_free(env);
	if (result < 0 || store_resume(store, err) < 0 || hand_over_all(&b, &r, err) < 0)
		return -1;
	return report(&b, &r, ret, err);
}
