/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/work.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "rootfs/rootfs.h"
#include "runner/limit.h"

/** Limits of the tmpfs that holds the pristine sources; past them `workdir: disk` is the answer. */
#define SPACE_BYTES (8ull << 30)
#define SPACE_INODES 4000000
/** Ids inside of a step that otherwise would be root. */
#define OTHER_ID 1234
/** So many times longer may a step take under other circumstances. */
#define VARIED_PATIENCE 10

/** The index of the source that holds the directory @p dir. */
static size_t source_of(const struct plan *plan, const char *dir)
{
	size_t i = 0;

	while (i + 1 < plan->spec->nsources && !text_path_is_below(dir, plan->sources[i].mount))
		i++;
	return i;
}

size_t work_build_source(const struct plan *plan)
{
	return source_of(plan, plan->spec->build.workdir);
}

/** Makes a directory below the scratch. */
static int make_dir(const struct work *work, const char *name, struct err *err)
{
	if (mkdirat(store_scratch_fd(work->scratch), name, 0755) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make scratch directory '%s'", name);
	return 0;
}

/** Lays one source out as directory @p i of @p parent. */
static int lay_out(const struct work *work, int parent, size_t i, struct err *err)
{
	char name[24];
	auto_fd fd = -1;

	snprintf(name, sizeof name, "%zu", i);
	if (mkdirat(parent, name, 0755) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a directory for source '%s'", work->plan->sources[i].name);
	if (io_open_dir(parent, name, &fd, err) < 0 ||
	    rootfs_materialise(work->store, &work->plan->sources[i].tree, fd, err) < 0) {
		if (work->space != NULL && err->sys == ENOSPC)
			(void)err_ctx(err, "the sources do not fit in memory (limit %llu MiB); "
				      "set spec.sandbox.workdir: disk", SPACE_BYTES >> 20);
		return err_ctx(err, "lay out source '%s'", work->plan->sources[i].name);
	}
	return 0;
}

/** An id inside, which the plan says is @p id. */
static unsigned inner_id(const struct work *work, unsigned id)
{
	return !work->vary.other_uid ? id : id == 0 ? OTHER_ID : 0;
}

static int open_space(struct work *work, struct err *err)
{
	const struct ident *id = store_ident(work->store);
	auto_buf mountpoint = {0};

	buf_addf(&mountpoint, "%s/space", store_scratch_path(work->scratch));
	if (buf_check(&mountpoint, "path", err) < 0 || make_dir(work, "space", err) < 0)
		return -1;
	struct sandbox_space_conf conf = {
		.base_fd = store_fd(work->store),
		.mountpoint = mountpoint.data,
		.inner_uid = inner_id(work, work->plan->spec->uid),
		.inner_gid = inner_id(work, work->plan->spec->gid),
		.outer_uid = id->step_uid,
		.outer_gid = id->step_gid,
		.tmpfs_bytes = SPACE_BYTES,
		.tmpfs_inodes = SPACE_INODES,
	};
	return sandbox_space_open(&conf, &work->space, err);
}

/** Notes what the run comes back to after a step, for garbage collection to spare it. */
static int note_uses(const struct work *work, struct err *err)
{
	const struct plan *plan = work->plan;
	const struct oci_base *base = &plan->base.image;

	if (store_scratch_use(work->scratch, true, &plan->rootfs, err) < 0 || store_scratch_use(work->scratch, false, &plan->profile.text, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->spec->nsources; i++)
		if (store_scratch_use(work->scratch, true, &plan->sources[i].tree, err) < 0 ||
		    (plan->spec->sources[i].url != NULL && store_scratch_use(work->scratch, false, &plan->sources[i].file, err) < 0))
			return -1;
	for (size_t i = 0; plan->base.any && i < base->nlayers; i++)
		if (store_scratch_use(work->scratch, false, &base->layers[i].digest, err) < 0)
			return -1;
	if (!plan->base.any)
		return 0;
	return store_scratch_use(work->scratch, false, &base->manifest_digest, err) < 0
		? -1 : store_scratch_use(work->scratch, false, &base->config_digest, err);
}

int work_use(const struct work *work, const struct digest *output, const struct upper *upper, struct err *err)
{
	if (store_scratch_use(work->scratch, true, output, err) < 0)
		return -1;
	return upper == NULL ? 0 : store_scratch_use(work->scratch, true, &upper->tree, err) < 0
		? -1 : store_scratch_use(work->scratch, false, &upper->state, err);
}

int work_begin(struct work *work, struct err *err)
{
	auto_fd disk = -1;
	int parent;

	if (rootfs_ensure_checked(work->store, &work->plan->rootfs, &work->rootfs_path, err) < 0 ||
	    store_hold_rootfs(work->store, &work->plan->rootfs, &work->rootfs_held, err) < 0 ||
	    store_scratch_open(work->store, &work->scratch, err) < 0 || make_dir(work, "root", err) < 0 || note_uses(work, err) < 0)
		return -1;
	if (work->plan->spec->workdir == SPEC_WORKDIR_MEMORY) {
		if (open_space(work, err) < 0)
			return -1;
		parent = sandbox_space_trees(work->space);
	} else {
		if (make_dir(work, "trees", err) < 0 ||
		    io_open_dir(store_scratch_fd(work->scratch), "trees", &disk, err) < 0)
			return -1;
		parent = disk;
	}
	for (size_t i = 0; i < work->plan->spec->nsources; i++)
		if (work_check_cancel(work->cancel_fd, err) < 0 || lay_out(work, parent, i, err) < 0)
			return -1;
	work->begun = true;
	return 0;
}

/** The name of the build's upper in the scratch. */
static int build_upper(const struct work *work, struct buf *ret, struct err *err)
{
	buf_addf(ret, "%s.upper.%zu", work->plan->spec->build.name, work_build_source(work->plan));
	return buf_check(ret, "path", err);
}

int work_restore(struct work *work, const struct upper *upper, struct err *err)
{
	auto_buf name = {0};
	auto_fd fd = -1;

	if (build_upper(work, &name, err) < 0 || make_dir(work, name.data, err) < 0 ||
	    io_open_dir(store_scratch_fd(work->scratch), name.data, &fd, err) < 0 || upper_lay_out(work->store, upper, fd, err) < 0)
		return err_ctx(err, "lay out what the build left");
	work->build_done = true;
	return 0;
}

int work_record(const struct work *work, const struct digest *output, struct upper *ret, struct err *err)
{
	auto_buf name = {0};
	auto_fd fd = -1;

	if (build_upper(work, &name, err) < 0 || io_open_dir(store_scratch_fd(work->scratch), name.data, &fd, err) < 0)
		return -1;
	return upper_record(work->store, fd, output, ret, err);
}

void work_end(struct work *work)
{
	sandbox_space_close(work->space);
	store_scratch_close(work->scratch);
	own_fd(&work->rootfs_held);
	work->rootfs_held = -1;
	free(work->rootfs_path);
	work->space = NULL;
	work->scratch = NULL;
	work->rootfs_path = NULL;
}

/* ---- one step -------------------------------------------------------- */

/** The strings that the rows of a step's mount table point to. */
struct step_mounts {
	struct sandbox_mount *rows;
	char **paths;          /**< up to 9 a row, and the work directory */
	size_t npaths;
	const char *workdir;
	const char *areas;     /**< what the directories are called that it writes to */
	bool after;            /**< over what the step has left */
};

static void step_mounts_clear(struct step_mounts *m)
{
	for (size_t i = 0; i < m->npaths; i++)
		free(m->paths[i]);
	free(m->paths);
	free(m->rows);
}

/** A path that lives as long as the table. NULL when memory is short. */
static const char *keep(struct step_mounts *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *keep(struct step_mounts *m, const char *fmt, ...)
{
	char *path;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&path, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	m->paths[m->npaths++] = path;
	return path;
}

/** Where source @p i lies pristine. */
static struct sandbox_path pristine(const struct work *work, struct step_mounts *m, size_t i)
{
	if (work->space != NULL)
		return (struct sandbox_path){ SANDBOX_IN_SPACE, keep(m, "%zu", i) };
	return (struct sandbox_path){ SANDBOX_IN_BASE,
				      keep(m, "%s/trees/%zu", store_scratch_path(work->scratch), i) };
}

/** Makes "<step>.<kind>.<i>" in the scratch and gives its path below the base. */
static int area(const struct work *work, struct step_mounts *m, const char *step, const char *kind, size_t i,
		struct sandbox_path *ret, struct err *err)
{
	const char *name = keep(m, "%s.%s.%zu", step, kind, i);
	const char *path = name == NULL ? NULL : keep(m, "%s/%s", store_scratch_path(work->scratch), name);

	if (path == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "step '%s'", step);
	*ret = (struct sandbox_path){ SANDBOX_IN_BASE, path };
	return make_dir(work, name, err);
}

/** What a step left, where it has run. */
static struct sandbox_path upper_of(const struct work *work, struct step_mounts *m, const struct spec_step *step, size_t i)
{
	return (struct sandbox_path){ SANDBOX_IN_BASE, keep(m, "%s/%s.upper.%zu", store_scratch_path(work->scratch), step->name, i) };
}

/** Fills the overlay row of the source that the step works in. */
static int overlay_row(const struct work *work, const struct spec_step *step, size_t i, struct step_mounts *m,
		       struct sandbox_mount *row, struct err *err)
{
	bool is_build = step == &work->plan->spec->build;

	row->kind = SANDBOX_OVERLAY;
	if (area(work, m, m->areas, "upper", i, &row->upper, err) < 0 ||
	    area(work, m, m->areas, "work", i, &row->work, err) < 0)
		return -1;
	if (m->after)
		row->lowers[row->nlowers++] = upper_of(work, m, step, i);
	if (!is_build && work->build_done && i == work_build_source(work->plan))
		row->lowers[row->nlowers++] = upper_of(work, m, &work->plan->spec->build, i);
	row->lowers[row->nlowers++] = pristine(work, m, i);
	row->want_view = is_build;
	return 0;
}

/** A test sees the built tree wherever it works. */
static bool is_overlaid(const struct work *work, const struct spec_step *step, size_t i)
{
	return text_path_is_below(step->workdir, work->plan->sources[i].mount) ||
	       (step != &work->plan->spec->build && i == work_build_source(work->plan));
}

/** Where @p path is inside. NULL when memory is short. */
static const char *place_of(const struct work *work, struct step_mounts *m, const char *path)
{
	return work->vary.prefix == NULL ? path : keep(m, "%s%s", work->vary.prefix, path);
}

static int fill_mounts(const struct work *work, const struct spec_step *step, struct step_mounts *m, struct err *err)
{
	size_t n = work->plan->spec->nsources;

	m->rows = calloc(n, sizeof *m->rows);
	m->paths = calloc(n * 9 + 1, sizeof *m->paths);
	if (m->rows == NULL || m->paths == NULL || (m->workdir = place_of(work, m, step->workdir)) == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "mount table of step '%s'", step->name);
	for (size_t i = 0; i < n; i++) {
		struct sandbox_mount *row = &m->rows[i];

		row->target = place_of(work, m, work->plan->sources[i].mount);
		if (row->target == NULL)
			return err_set(err, ERR_INTERNAL, ENOMEM, "mount table of step '%s'", step->name);
		row->kind = SANDBOX_BIND_RO;
		if (!is_overlaid(work, step, i))
			row->source = pristine(work, m, i);
		else if (overlay_row(work, step, i, m, row, err) < 0)
			return -1;
	}
	return 0;
}

/** What a step met that did not end it: "exit 1, at its limit tmp=1 MiB". */
static void describe_limit(struct step_outcome *o)
{
	const struct sandbox_result *r = &o->result;
	size_t n = strlen(o->how);
	auto_buf text = {0};

	if (r->limit == SANDBOX_NO_LIMIT || r->end == SANDBOX_TIMEOUT)
		return;
	sandbox_limit_text(&text, r->limit, r->limit_value);
	if (o->left.entries > 0) {
		buf_adds(&text, ": ");
		left_text(&text, &o->left);
	}
	if (r->end == SANDBOX_LIMITED)
		snprintf(o->how, sizeof o->how, "ended by its limit %s", text.data == NULL ? "" : text.data);
	else
		snprintf(o->how + n, sizeof o->how - n, ", at its limit %s", text.data == NULL ? "" : text.data);
}

static void describe(struct step_outcome *o, const struct spec_step *step)
{
	const struct sandbox_result *r = &o->result;

	o->ok = r->end == SANDBOX_EXITED && r->code == 0;
	switch (r->end) {
	case SANDBOX_EXITED:
		snprintf(o->how, sizeof o->how, "exit %d", r->code);
		break;
	case SANDBOX_SIGNALED:
		snprintf(o->how, sizeof o->how, "killed by signal %d (%s)", r->code,
			 r->code == SIGSYS ? "by its seccomp profile, or for a call of a foreign ABI" : strsignal(r->code));
		break;
	case SANDBOX_TIMEOUT:
		snprintf(o->how, sizeof o->how, "timed out after %.3g s", (double)step->timeout_ms / 1000);
		break;
	case SANDBOX_CANCELLED:
		snprintf(o->how, sizeof o->how, "interrupted");
		break;
	case SANDBOX_NOT_FOUND:
		snprintf(o->how, sizeof o->how, "command not found in the rootfs");
		break;
	case SANDBOX_NOT_EXECUTABLE:
		snprintf(o->how, sizeof o->how, "command could not be executed: %s", strerror(r->code));
		break;
	case SANDBOX_LIMITED:
		break;
	}
	describe_limit(o);
}

/** All of a step's sandbox but who hears its output. @p mountpoint: appended to, and to outlive what is returned. */
static struct sandbox_conf step_conf(const struct work *work, const struct spec_step *step, const struct step_mounts *m,
				     const char *const *argv, const char *const *env, struct buf *mountpoint)
{
	const struct plan *plan = work->plan;
	const struct ident *id = store_ident(work->store);

	struct sandbox_limits limits = limit_of_step(plan->spec, step, work->grace_ms);

	/* A busy host is slow: that is no difference in what comes of it. */
	limits.timeout_ms *= work->varied ? VARIED_PATIENCE : 1;
	buf_addf(mountpoint, "%s/root", store_scratch_path(work->scratch));
	return (struct sandbox_conf){
		.base_fd = store_fd(work->store),
		.space = work->space,
		.mountpoint = mountpoint->data,
		.rootfs = work->rootfs_path,
		.mounts = m->rows, .nmounts = plan->spec->nsources,
		.argv = argv,
		.envp = env,
		.workdir = m->workdir,
		.hostname = work->vary.hostname != NULL ? work->vary.hostname : plan->spec->hostname,
		.inner_uid = inner_id(work, plan->spec->uid), .inner_gid = inner_id(work, plan->spec->gid),
		.outer_uid = id->step_uid, .outer_gid = id->step_gid,
		.network = step->network == SPEC_NET_LOOPBACK ? SANDBOX_NET_LOOPBACK : SANDBOX_NET_NONE,
		.filter = plan->profile.filter, .filter_len = plan->profile.filter_len,
		.floor = plan->profile.floor, .floor_len = plan->profile.floor_len,
		.limits = limits,
		.cancel_fd = work->cancel_fd,
		.vary = &work->vary.host,
		.no_receipt = work->varied,
	};
}

/** For as long as a command runs, the store is nobody's business of ours. */
static int run_sandbox(struct work *work, const struct sandbox_conf *conf, struct sandbox_result *ret, struct err *err)
{
	struct err late = {0};

	store_pause(work->store);
	int result = sandbox_run(conf, ret, err);
	if (store_resume(work->store, &late) < 0 && result == 0) {
		*err = late;
		return -1;
	}
	return result;
}

static int run_step(struct work *work, const struct spec_step *step, const struct step_mounts *m,
		    const char *const *argv, const char *const *env, struct step_outcome *o, struct err *err)
{
	auto_buf mountpoint = {0};
	struct sandbox_conf conf = step_conf(work, step, m, argv, env, &mountpoint);

	if (buf_check(&mountpoint, "path", err) < 0)
		return -1;
	conf.output = step_log_output;
	conf.output_arg = &o->log;
	return run_sandbox(work, &conf, &o->result, err);
}

/** Measures what the build left over what it was given, before anybody reads it. */
static int measure(const struct work *work, const struct spec_step *step, const struct step_mounts *m, struct step_outcome *o,
		   struct err *err)
{
	const struct sandbox_limits limits = limit_of_step(work->plan->spec, step, work->grace_ms);
	struct sandbox_result *r = &o->result;
	auto_left left = {0};

	for (size_t i = 0; i < work->plan->spec->nsources; i++) {
		auto_fd fd = -1;

		if (!m->rows[i].want_view || r->end != SANDBOX_EXITED || r->code != 0)
			continue;
		if (io_open_dir(store_fd(work->store), m->rows[i].upper.path, &fd, err) < 0 ||
		    left_add(&left, fd, sandbox_limit_of(&limits, SANDBOX_LIMIT_WORK_FILES), err) < 0)
			return -1;
	}
	if (left_too_much(&left, &limits, r)) {
		o->left = left;
		left = (struct left){0};
	}
	return 0;
}

int work_step(struct work *work, const struct spec_step *step, struct step_outcome *ret, struct err *err)
{
	__attribute__((cleanup(step_mounts_clear))) struct step_mounts m = { .areas = step->name };
	auto_free const char **argv = NULL;
	char **env = NULL;

	ret->step = step;
	ret->result.view_fd = -1;
	if (fill_mounts(work, step, &m, err) < 0 || plan_argv(&step->command, &argv, err) < 0 ||
	    plan_env(work->plan->spec, &env, err) < 0)
		return -1;
	int result = plan_env_replace(work->plan->spec, env, "LANG", work->vary.lang, err);
	if (result == 0)
		result = plan_env_replace(work->plan->spec, env, "TZ", work->vary.tz, err);
	if (result == 0)
		result = run_step(work, step, &m, argv, (const char *const *)env, ret, err);
	plan_env_free(env);
	if (result == 0)
		result = measure(work, step, &m, ret, err);
	if (result < 0)
		return err_ctx(err, "step '%s'", step->name);
	describe(ret, step);
	if (step == &work->plan->spec->build)
		work->build_done = true;
	return 0;
}

/** Opens the directory @p path below @p dirfd, name by name. */
static int open_inside(int dirfd, const char *path, int *ret_fd, struct err *err)
{
	auto_free char *names = strdup(path);
	auto_fd at = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *rest = names, *name;

	if (names == NULL || at < 0)
		return err_set(err, ERR_INTERNAL, names == NULL ? ENOMEM : errno, "open '%s'", path);
	while ((name = strsep(&rest, "/")) != NULL) {
		if (name[0] == '\0')
			continue;
		int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
			*ret_fd = -1;
			return 0;
		}
		if (next < 0)
			return err_set(err, errno == EACCES ? ERR_STEP : ERR_INTERNAL, errno, "open '%s'", path);
		close(at);
		at = next;
	}
	*ret_fd = move_fd(&at);
	return 0;
}

int work_written(const struct work *work, const struct spec_step *step, int *ret_fd, struct err *err)
{
	size_t i = source_of(work->plan, step->workdir);
	auto_buf upper = {0};
	auto_fd fd = -1;

	buf_addf(&upper, "%s.upper.%zu", step->name, i);
	if (buf_check(&upper, "path", err) < 0 || io_open_dir(store_scratch_fd(work->scratch), upper.data, &fd, err) < 0)
		return -1;
	return open_inside(fd, step->workdir + strlen(work->plan->sources[i].mount), ret_fd, err);
}

int work_visit(struct work *work, const struct spec_step *step, const struct work_visit *visit, struct sandbox_result *ret,
	       struct err *err)
{
	/* No step's name begins with a dot. */
	__attribute__((cleanup(step_mounts_clear))) struct step_mounts m = { .areas = ".visit", .after = visit->after };
	auto_buf mountpoint = {0};

	if (fill_mounts(work, step, &m, err) < 0)
		return -1;
	struct sandbox_conf conf = step_conf(work, step, &m, visit->argv, visit->env, &mountpoint);
	if (buf_check(&mountpoint, "path", err) < 0)
		return -1;
	/* People think. */
	conf.limits.timeout_ms = 0;
	conf.terminal = visit->terminal;
	conf.relay = visit->relay;
	conf.no_receipt = true;
	return run_sandbox(work, &conf, ret, err);
}

void work_writable(const struct work *work, const struct spec_step *step, struct buf *out)
{
	for (size_t i = 0; i < work->plan->spec->nsources; i++)
		if (is_overlaid(work, step, i)) {
			buf_addc(out, ' ');
			text_printable(out, work->plan->sources[i].mount, strlen(work->plan->sources[i].mount));
			buf_addc(out, ',');
		}
	buf_adds(out, " /tmp, /dev/shm, /build/home");
}

void step_outcome_clear(struct step_outcome *o)
{
	sandbox_result_clear(&o->result);
	step_log_clear(&o->log);
	left_clear(&o->left);
	reports_clear(&o->reports);
	json_decref(o->refused);
	o->refused = NULL;
}
