/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli/cli.h"
#include "cli/self_test.h"
#include "runner/doctor.h"

#define DOCTOR_SCHEMA "https://glovebox.dev/schemas/doctor/v1"

static const char *state_word(enum sandbox_check_state state)
{
	static const char *const words[] = {
		[CHECK_OK] = "ok", [CHECK_WEAKER] = "weaker", [CHECK_DENIED] = "denied", [CHECK_UNTRIED] = "untried",
	};

	return words[state];
}

/** The store, and what is tried in it. */
struct findings {
	struct sandbox_check store, checks[CHECKS];
	struct ident id;   /**< the store's, once it is open: root has become its step user */
};

static const struct sandbox_check *finding(const struct findings *f, size_t i, const char **ret_name)
{
	*ret_name = i == 0 ? "store" : sandbox_check_name((enum sandbox_check_name)(i - 1));
	return i == 0 ? &f->store : &f->checks[i - 1];
}

static bool is_denied(const struct findings *f)
{
	const char *name;

	for (size_t i = 0; i <= CHECKS; i++)
		if (finding(f, i, &name)->state == CHECK_DENIED)
			return true;
	return false;
}

/** What was found goes on its line, its cure on the next. */
static void print_one(const char *name, const struct sandbox_check *c)
{
	static const char mark[] = "; cure: ";
	const char *cure = c->state == CHECK_OK ? NULL : strstr(c->err.msg, mark);
	auto_buf line = {0};

	if (c->state == CHECK_OK)
		buf_adds(&line, c->seen);
	else if (c->state == CHECK_UNTRIED)
		buf_adds(&line, "needs what is denied");
	else
		buf_add(&line, c->err.msg, cure == NULL ? strlen(c->err.msg) : (size_t)(cure - c->err.msg));
	printf("%-11s %-8s", name, state_word(c->state));
	cli_print_safe(stdout, line.data == NULL ? "" : line.data);
	if (cure != NULL) {
		printf("%-11s %-8s", "", "cure:");
		cli_print_safe(stdout, cure + strlen(mark));
	}
}

static void print_all(const struct findings *f)
{
	const char *name;

	for (size_t i = 0; i <= CHECKS; i++) {
		const struct sandbox_check *c = finding(f, i, &name);

		print_one(name, c);
	}
	puts(is_denied(f) ? "this host denies what glovebox needs" : "glovebox works here");
}

/** Of each container's engine its own options; null: not a matter of these. */
static json_t *cures_json(enum sandbox_cause cause)
{
	const struct sandbox_cause_row *row = sandbox_cause(cause);

	return json_pack("{s:s?, s:s?, s:s?, s:s?}", "host", row->cure, "docker", row->docker, "podman", row->podman, "kubernetes",
			 row->kubernetes);
}

static json_t *one_json(const char *name, const struct sandbox_check *c)
{
	enum sandbox_cause cause = (enum sandbox_cause)c->err.cause;
	bool bad = c->state == CHECK_DENIED || c->state == CHECK_WEAKER;
	auto_buf cure = {0};

	if (bad)
		sandbox_cause_cure(cause, &cure);
	return json_pack("{s:s, s:s, s:s?, s:s*, s:o*, s:o*, s:o*}", "name", name, "state", state_word(c->state),
			 "seen", c->seen[0] == '\0' ? NULL : c->seen,
			 "cure", cure.data,
			 "cause", bad ? json_string(sandbox_cause(cause)->name) : NULL,
			 "message", bad ? json_bytes(c->err.msg, strlen(c->err.msg)) : NULL,
			 "cures", bad ? cures_json(cause) : NULL);
}

static int print_json(const struct findings *f, struct err *err)
{
	auto_json checks = json_array();
	struct utsname kernel = {0};
	const char *name;

	(void)uname(&kernel);
	for (size_t i = 0; i <= CHECKS; i++) {
		const struct sandbox_check *c = finding(f, i, &name);

		if (json_array_append_new(checks, one_json(name, c)) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "doctor");
	}
	auto_json all = json_pack("{s:s, s:s, s:s, s:b, s:O}", "schema", DOCTOR_SCHEMA, "glovebox", GB_VERSION, "kernel", kernel.release,
				  "works", !is_denied(f), "checks", checks);
	return all == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "doctor") : cli_print_json(all, err);
}

/** Only what this host is to blame for is a finding; a wrong --store is an error as everywhere. */
static int examine(const struct args *args, struct findings *f, struct err *err)
{
	auto_store store = NULL;
	const char *limits = args_get(args, "limits");
	struct err *of_store = &f->store.err;

	if (limits != NULL && strcmp(limits, "enforce") != 0 && strcmp(limits, "best-effort") != 0)
		return err_set(err, ERR_USAGE, 0, "--limits %s: it is 'enforce' or 'best-effort'", limits);
	if (cli_open_store(args, &store, of_store) == 0) {
		f->id = *store_ident(store);
		if (doctor_checkup(store, limits == NULL || limits[0] == 'e', f->checks, of_store) == 0)
			return 0;
	}
	if (of_store->kind != ERR_HOST) {
		*err = *of_store;
		return -1;
	}
	f->store.state = CHECK_DENIED;
	for (size_t i = 0; i < CHECKS; i++)
		f->checks[i].state = CHECK_UNTRIED;
	return 0;
}

/** As whoever called: what the probes are started with is to be all that a caller has. */
static int test_self(const struct args *args, const struct ident *id, int *ret_code, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	bool passed = false;

	if (ident_caller_begin(id, err) < 0)
		return -1;
	int result = self_test(tmp == NULL || tmp[0] != '/' ? "/tmp" : tmp, args_has(args, "json"), &passed, err);
	*ret_code = passed ? 0 : ERR_STEP;
	return ident_caller_done(id, result, err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_free struct findings *f = calloc(1, sizeof *f);

	if (f == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "doctor");
	if (examine(args, f, err) < 0)
		return -1;
	*ret_code = is_denied(f) ? ERR_HOST : 0;
	if (args_has(args, "self-test") && !is_denied(f))
		return test_self(args, &f->id, ret_code, err);
	if (args_has(args, "json"))
		return print_json(f, err);
	print_all(f);
	return 0;
}

static const struct opt_def opts[] = {
	{ "self-test", NULL, "then run the escape suite, in half a minute, and print a table for a report" },
	{ "limits", "MODE", "enforce (default), or best-effort: limits that cannot be enforced are no finding", .words = "enforce best-effort" },
	OPT_JSON, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

const struct command cmd_doctor = {
	"doctor", "[OPTION]…", "say what this host allows and denies a sandbox, why, and what cures it", opts, NULL, 0, 0, false, run,
};
