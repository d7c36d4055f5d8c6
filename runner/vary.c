/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/vary.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runner/elsewhere.h"

/** None: another run of the same. */
static const struct variation nothing = { .name = "nothing" };

/** What all builds of one reproduction have in common. */
struct varying {
	struct store *store;
	const struct plan *plan;
	const struct reproduce_options *opt;
	const struct digest *expected;
	struct elsewhere places[2];     /**< of the same user, of another; made when first asked for */
};

static void varying_clear(struct varying *v)
{
	elsewhere_close(&v->places[0]);
	elsewhere_close(&v->places[1]);
}
#define auto_varying __attribute__((cleanup(varying_clear))) struct varying

static void tell(const struct varying *v, enum run_event_type type, const char *text)
{
	if (v->opt->event != NULL)
		v->opt->event(v->opt->event_arg, &(struct run_event){ .type = type, .text = text });
}

static const char *fault_of(const struct varying *v, const struct variation *one)
{
	return vary_fault(one, store_ident(v->store), v->opt->by_spec);
}

/* ---- one build --------------------------------------------------------------------------- */

/** In which files. The store at home may be another user's by now. */
static int tell_files(const struct varying *v, struct store *store, const struct digest *got, struct buf *account, struct err *err)
{
	const struct ident *id = store_ident(store);

	if (ident_read_begin(id, err) < 0)
		return -1;
	return ident_read_done(id, vary_differences(v->store, v->expected, store, got, account, err), err);
}

/** Builds, and compares. *@p ret_same: the same output; else @p account (appended) says what is different. */
static int build(const struct varying *v, const struct variation *how, struct store *store, bool *ret_same, struct buf *account,
		 struct err *err)
{
	const struct build_conf conf = {
		.store = store, .plan = v->plan, .grace_ms = v->opt->grace_ms, .cancel_fd = v->opt->cancel_fd, .use = CACHE_NONE,
		.vary = &how->work,
	};
	struct build b = {0};
	int result = build_run(&b, &conf, err);

	/* A failure is an end that is not the same. */
	*ret_same = result == 0 && b.outcome.ok && digest_eq(&b.left.output.tree, v->expected);
	if (result == 0 && !b.outcome.ok) {
		buf_addf(account, "step '%s' failed: %s", v->plan->spec->build.name, b.outcome.how);
		result = buf_check(account, "account", err);
	} else if (result == 0 && !*ret_same) {
		result = tell_files(v, store, &b.left.output.tree, account, err);
	}
	build_clear(&b);
	return result;
}

/** The same in the other store. */
static int build_elsewhere(const struct varying *v, const struct variation *how, bool *ret_same, struct buf *account, struct err *err)
{
	const struct elsewhere *e = &v->places[how->other_user];

	if (elsewhere_begin(e, err) < 0)
		return -1;
	return elsewhere_end(e, build(v, how, e->store, ret_same, account, err), err);
}

/** Builds once under other circumstances. */
static int try(struct varying *v, const struct variation *how, unsigned round, bool *ret_same, struct buf *account, struct err *err)
{
	__attribute__((cleanup(vary_load_end))) struct vary_load load = { .n = 0 };
	struct elsewhere *e = how->elsewhere ? &v->places[how->other_user] : NULL;
	char text[80];

	snprintf(text, sizeof text, "build again, round %u, varied: %s", round, how->name);
	tell(v, RUN_PHASE, text);
	buf_clear(account);
	/* Before there are others: who removes that place would keep their sockets open. */
	if (e != NULL && e->store == NULL && elsewhere_open(v->store, v->plan, how->other_user, v->opt->cancel_fd, e, err) < 0)
		return -1;
	if (how->busy)
		vary_load_begin(&load);
	if (how->waits && vary_load_wait(v->opt->cancel_fd, err) < 0)
		return -1;
	int result = e != NULL ? build_elsewhere(v, how, ret_same, account, err) : build(v, how, v->store, ret_same, account, err);
	return result < 0 ? err_ctx(err, "varied: %s", how->name) : 0;
}

static int broken(const char *name, unsigned round, const struct buf *account, struct reproduce_report *ret)
{
	ret->verdict = NOT_REPRODUCED;
	ret->broken_by = name;
	ret->rounds = round;
	snprintf(ret->account, sizeof ret->account, "round %u, varied: %s: %s", round, name, account->data == NULL ? "" : account->data);
	return 0;
}

/* ---- class A ------------------------------------------------------------------------------- */

/** Whether one variation breaks it; then that is told. */
static int accuse(struct varying *v, const struct variation *how, unsigned round, bool *ret_guilty, struct reproduce_report *ret, struct err *err)
{
	auto_buf account = {0};
	bool same;

	if (try(v, how, round, &same, &account, err) < 0)
		return -1;
	*ret_guilty = !same;
	return same ? 0 : broken(how->name, round, &account, ret);
}

/** Finds what it was that all of them together have broken: nothing of them, if the same can happen without. That is tried before, and again
 *  before anything else has the blame: what differs by chance is as often the same. @p account is told where none alone breaks it. */
static int find_culprit(struct varying *v, unsigned round, const struct buf *account, struct reproduce_report *ret, struct err *err)
{
	bool guilty;

	if (accuse(v, &nothing, round, &guilty, ret, err) < 0)
		return -1;
	for (const struct variation *how = vary_hosts; how->name != NULL && !guilty; how++) {
		if (fault_of(v, how) != NULL)
			continue;
		if (accuse(v, how, round, &guilty, ret, err) < 0)
			return -1;
		if (guilty && accuse(v, &nothing, round, &guilty, ret, err) < 0)
			return -1;
		guilty = ret->broken_by != NULL;
	}
	return guilty ? 0 : broken("all", round, account, ret);
}

/** All that can be had here, as one. What cannot is told of once. */
static void add_all(const struct varying *v, unsigned round, struct variation *ret)
{
	*ret = (struct variation){ .name = "all" };
	for (const struct variation *one = vary_hosts; one->name != NULL; one++) {
		const char *fault = fault_of(v, one);
		char text[120];

		if (fault == NULL)
			vary_add(ret, one);
		if (fault == NULL || round > 1)
			continue;
		snprintf(text, sizeof text, "not varied: %s: %s", one->name, fault);
		tell(v, RUN_NOTE, text);
	}
	/* Once is enough of that, when all else has been tried. */
	ret->waits = ret->waits && round == v->opt->rounds;
}

static int run_together(struct varying *v, unsigned round, struct reproduce_report *ret, struct err *err)
{
	struct variation all;
	auto_buf account = {0};
	bool same;

	add_all(v, round, &all);
	if (try(v, &all, round, &same, &account, err) < 0)
		return -1;
	return same ? 0 : find_culprit(v, round, &account, ret, err);
}

/** The next of a list; NULL at its end, and then as often as asked. */
static const struct variation *next_of(const char **list)
{
	size_t n = strcspn(*list, ",");
	const struct variation *v = n == 0 ? NULL : vary_find(*list, n);

	*list += n + ((*list)[n] == ',');
	return v;
}

static int run_one_by_one(struct varying *v, unsigned round, struct reproduce_report *ret, struct err *err)
{
	const char *list = v->opt->vary;
	auto_buf account = {0};
	bool same;

	for (const struct variation *how; (how = next_of(&list)) != NULL;) {
		if (try(v, how, round, &same, &account, err) < 0)
			return -1;
		if (!same)
			return broken(how->name, round, &account, ret);
	}
	return 0;
}

static int run_plain(struct varying *v, unsigned round, struct reproduce_report *ret, struct err *err)
{
	auto_buf account = {0};
	bool same;

	if (try(v, &nothing, round, &same, &account, err) < 0)
		return -1;
	return same ? 0 : broken(nothing.name, round, &account, ret);
}

static int run_rounds(struct varying *v, struct reproduce_report *ret, struct err *err)
{
	const char *list = v->opt->vary;
	/* One round without a variation has been. */
	unsigned first = list == NULL ? 2 : 1;

	for (unsigned i = first; i <= v->opt->rounds && ret->broken_by == NULL; i++) {
		int result = list == NULL ? run_plain(v, i, ret, err) : strcmp(list, "all") == 0 ? run_together(v, i, ret, err)
			     : run_one_by_one(v, i, ret, err);

		if (result < 0)
			return -1;
	}
	return 0;
}

/** The names of what did not break it. */
static int note_varied(const struct varying *v, struct reproduce_report *ret, struct err *err)
{
	const char *list = v->opt->vary == NULL ? "" : v->opt->vary;
	bool all = strcmp(list, "all") == 0;
	const struct variation *row = vary_hosts;
	auto_json names = json_array();

	for (const struct variation *one; (one = all ? row++ : next_of(&list)) != NULL && one->name != NULL;)
		if (fault_of(v, one) == NULL && json_array_append_new(names, json_string(one->name)) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "reproduce");
	ret->varied = move_ptr(names);
	return ret->varied != NULL ? 0 : err_set(err, ERR_INTERNAL, ENOMEM, "reproduce");
}

int vary_check(const char *list, const struct ident *id, bool by_spec, struct err *err)
{
	if (list == NULL || strcmp(list, "all") == 0)
		return 0;
	for (const struct variation *one; (one = next_of(&list)) != NULL;) {
		const char *fault = vary_fault(one, id, by_spec);

		if (fault != NULL)
			return err_set(err, by_spec && one->other_user ? ERR_REFUSED : ERR_HOST, 0, "vary %s: %s", one->name, fault);
	}
	return 0;
}

/* ---- class B ------------------------------------------------------------------------------- */

/** Told of, and no verdict. */
static int run_fragile(struct varying *v, struct reproduce_report *ret, struct err *err)
{
	auto_json all = json_array();
	auto_buf account = {0};
	bool same;

	for (const struct variation *how = vary_steps; how->name != NULL; how++) {
		if (try(v, how, 1, &same, &account, err) < 0)
			return -1;
		if (!same && json_array_append_new(all, json_pack("{s:s, s:o}", "varied", how->name, "account",
								  json_bytes(account.data, account.len))) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "reproduce");
	}
	ret->fragile = move_ptr(all);
	return ret->fragile != NULL ? 0 : err_set(err, ERR_INTERNAL, ENOMEM, "reproduce");
}

int vary_run(struct store *store, const struct plan *plan, const struct reproduce_options *opt, const struct digest *expected,
	     struct reproduce_report *ret, struct err *err)
{
	auto_varying v = { store, plan, opt, expected, { ELSEWHERE_NONE, ELSEWHERE_NONE } };

	if (run_rounds(&v, ret, err) < 0)
		return -1;
	if (ret->broken_by != NULL)
		return 0;
	ret->rounds = opt->rounds;
	if (note_varied(&v, ret, err) < 0)
		return -1;
	return opt->fragile ? run_fragile(&v, ret, err) : 0;
}
