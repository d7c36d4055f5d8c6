/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/cache.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/** Kinds of results: a step's by its key, and the key of the latest one by the spec's and the step's name. */
#define STEP_KIND "step"
#define LAST_KIND "last"

void cache_answer_clear(struct cache_answer *a)
{
	json_decref(a->key);
	json_decref(a->result);
	buf_free(&a->log);
	*a = (struct cache_answer){0};
}

static bool get_digest(const json_t *object, const char *name, struct digest *ret)
{
	const char *text = json_str(object, name);

	return text != NULL && digest_parse(text, ret);
}

/** What the latest result of a step of that name in a spec of that name is found by. */
static int last_key(const struct plan *plan, const struct spec_step *step, struct digest *ret, struct err *err)
{
	auto_json names = json_pack("[s, s]", plan->spec->name, step->name);

	return names == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "key of step '%s'", step->name) : key_digest(names, ret, err);
}

/** Says what is another now than when a step of this name was recorded last. */
static void explain_miss(struct store *store, const struct plan *plan, const struct spec_step *step, struct cache_answer *a)
{
	auto_json last = NULL;
	auto_json result = NULL;
	auto_buf text = {0};
	struct digest d;
	struct err ignored = {0};

	snprintf(a->why, sizeof a->why, "nothing is recorded of it yet");
	if (last_key(plan, step, &d, &ignored) < 0 || store_result_get(store, LAST_KIND, &d, &last, &ignored) < 0 ||
	    !get_digest(last, "key", &d) || store_result_get(store, STEP_KIND, &d, &result, &ignored) < 0)
		return;
	key_difference(json_object_get(result, "key"), a->key, &text);
	if (text.len > 0)
		snprintf(a->why, sizeof a->why, "changed: %s", text.data);
}

/** Brings the log of a result. */
static int read_log(struct store *store, const json_t *result, struct buf *ret, struct err *err)
{
	const json_t *log = json_object_get(result, "log");
	struct digest d, found;
	auto_fd fd = -1;

	if (!get_digest(log, "digest", &d))
		return err_set(err, ERR_INPUT, 0, "it has no log");
	if (store_open_object(store, &d, &fd, err) < 0 || io_read_all(fd, LOG_TEXT_MAX, ret, err) < 0 ||
	    hash_bytes(ret->data, ret->len, &found, err) < 0)
		return -1;
	return digest_eq(&d, &found) ? 0 : err_set(err, ERR_INPUT, 0, "its log is damaged");
}

/** Whether a result says of itself that it is that of this key. */
static bool is_of(const json_t *result, const struct cache_answer *a)
{
	return json_equal(json_object_get(result, "key"), a->key) && json_str(result, "how") != NULL &&
	       json_is_object(json_object_get(result, "receipt")) && json_is_array(json_object_get(result, "refused"));
}

/** The reports that are recorded with a test. A result without them is of a test that left none. */
static int read_reports(struct store *store, const json_t *result, struct err *err)
{
	struct digest tree;

	if (json_object_get(result, "reports") == NULL)
		return 0;
	if (!get_digest(result, "reports", &tree))
		return err_set(err, ERR_INPUT, 0, "its reports are not written as this version writes them");
	return store_check_tree(store, &tree, true, err);
}

static void look_up(struct store *store, const struct plan *plan, const struct spec_step *step, struct cache_answer *a)
{
	auto_json result = NULL;
	struct err why = {0};

	if (store_result_get(store, STEP_KIND, &a->digest, &result, &why) < 0) {
		if (why.sys == ENOENT)
			explain_miss(store, plan, step, a);
		else
			snprintf(a->why, sizeof a->why, "the recorded result cannot be used: %.150s", why.msg);
	} else if (!is_of(result, a) || read_log(store, result, &a->log, &why) < 0 || read_reports(store, result, &why) < 0) {
		snprintf(a->why, sizeof a->why, "the recorded result cannot be used: %.150s", why.msg);
	} else {
		const char *when = json_str(result, "recordedOn");

		snprintf(a->why, sizeof a->why, "all that it depends on is as it was%s%.30s", when == NULL ? "" : " on ", when == NULL ? "" : when);
		a->result = move_ptr(result);
	}
}

int cache_ask(struct store *store, const struct plan *plan, const struct spec_step *step, const struct built_state *built,
	      enum cache_use use, struct cache_answer *ret, struct err *err)
{
	auto_cache_answer a = {0};

	if (use != CACHE_NONE && (step_key_json(plan, step, built, &a.key, err) < 0 || key_digest(a.key, &a.digest, err) < 0))
		return -1;
	if (use == CACHE_FULL)
		look_up(store, plan, step, &a);
	else
		snprintf(a.why, sizeof a.why, "%s", use == CACHE_RECORD ? "--no-cache" : "the spec says caching.enabled: false");
	*ret = a;
	a = (struct cache_answer){0};
	return 0;
}

/* ---- what a hit says -------------------------------------------------------- */

/** A hit that cannot be used after all. */
static void turn_into_miss(struct cache_answer *a, const char *why)
{
	json_decref(a->result);
	a->result = NULL;
	buf_free(&a->log);
	snprintf(a->why, sizeof a->why, "the recorded output cannot be used: %.150s", why);
}

static bool read_build(const json_t *result, struct cache_build *ret)
{
	const json_t *output = json_object_get(result, "output"), *upper = json_object_get(result, "upper");
	json_t *named = json_object_get(output, "notKept");
	json_t *odd = json_object_get(output, "specialFilesDropped"), *setid = json_object_get(output, "setIdCleared");

	if (!get_digest(output, "tree", &ret->output.tree) || !get_digest(upper, "tree", &ret->upper.tree) ||
	    !get_digest(upper, "state", &ret->upper.state) || !json_is_array(named) || !json_is_integer(odd) || !json_is_integer(setid))
		return false;
	ret->output.odd = (uint64_t)json_integer_value(odd);
	ret->output.setid = (uint64_t)json_integer_value(setid);
	ret->output.named = json_incref(named);
	return true;
}

bool cache_build_of(struct store *store, struct cache_answer *a, bool contents, struct cache_build *ret)
{
	struct cache_build b = {0};
	struct err why = {0};

	if (!read_build(a->result, &b))
		turn_into_miss(a, "it is not written as this version writes it");
	else if (store_check_tree(store, &b.output.tree, contents, &why) < 0 ||
		 store_check_tree(store, &b.upper.tree, contents, &why) < 0 ||
		 store_check_object(store, &b.upper.state, STORE_ANY_SIZE, contents, &why) < 0)
		turn_into_miss(a, why.msg);
	if (a->result == NULL) {
		harvest_clear(&b.output);
		return false;
	}
	*ret = b;
	return true;
}

int cache_adopt(const struct cache_answer *a, const struct spec_step *step, struct step_outcome *ret, struct err *err)
{
	const json_t *r = a->result;

	ret->step = step;
	ret->ok = true;
	ret->origin = STEP_HIT;
	snprintf(ret->how, sizeof ret->how, "%s", json_str(r, "how"));
	ret->result = (struct sandbox_result){
		.end = SANDBOX_EXITED, .view_fd = -1,
		.wall_us = (uint64_t)json_integer_value(json_object_get(r, "wallUs")),
		.user_us = (uint64_t)json_integer_value(json_object_get(r, "userUs")),
		.sys_us = (uint64_t)json_integer_value(json_object_get(r, "systemUs")),
		.max_rss_kib = (uint64_t)json_integer_value(json_object_get(r, "maxRssKiB")),
		.receipt = json_incref(json_object_get(r, "receipt")),
	};
	ret->refused = json_incref(json_object_get(r, "refused"));
	ret->reports.any = get_digest(r, "reports", &ret->reports.tree);
	ret->log_written = (uint64_t)json_integer_value(json_object_get(json_object_get(r, "log"), "written"));
	buf_add(&ret->log.head, a->log.data, a->log.len);
	return ret->log.head.failed ? err_set(err, ERR_INTERNAL, ENOMEM, "log of step '%s'", step->name) : 0;
}

/* ---- recording ------------------------------------------------------------- */

static json_t *digest_json(const struct digest *d)
{
	char text[DIGEST_STR_SIZE];

	return json_string(digest_str(d, text));
}

/** Puts the log into the store, and says where it is. */
static int put_log(struct store *store, const struct step_outcome *o, json_t **ret, struct digest *ret_digest, struct err *err)
{
	auto_buf text = {0};

	if (step_log_text(&o->log, &text, err) < 0 || store_put_bytes(store, text.data, text.len, ret_digest, err) < 0)
		return -1;
	*ret = json_pack("{s:o, s:I}", "digest", digest_json(ret_digest), "written", (json_int_t)step_log_size(&o->log));
	return *ret == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "record a log") : 0;
}

static int add_left(json_t *result, const struct cache_build *left, struct err *err)
{
	auto_json output = json_object();

	if (harvest_add_json(output, &left->output, err) < 0)
		return -1;
	if (json_object_set(result, "output", output) < 0 ||
	    json_object_set_new(result, "upper", json_pack("{s:o, s:o}", "tree", digest_json(&left->upper.tree), "state",
							   digest_json(&left->upper.state))) < 0 ||
	    json_array_append_new(json_object_get(result, "trees"), digest_json(&left->output.tree)) < 0 ||
	    json_array_append_new(json_object_get(result, "trees"), digest_json(&left->upper.tree)) < 0 ||
	    json_array_append_new(json_object_get(result, "objects"), digest_json(&left->upper.state)) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "record what the build left");
	return 0;
}

static int add_reports(json_t *result, const struct reports *reports, struct err *err)
{
	if (reports->any && (json_object_set_new(result, "reports", digest_json(&reports->tree)) < 0 ||
			     json_array_append_new(json_object_get(result, "trees"), digest_json(&reports->tree)) < 0))
		return err_set(err, ERR_INTERNAL, ENOMEM, "record a test's reports");
	return 0;
}

static int make_result(struct store *store, const struct cache_answer *a, const struct step_outcome *o, const struct cache_build *left,
		       json_t **ret, struct err *err)
{
	const struct sandbox_result *r = &o->result;
	auto_json log = NULL;
	char when[32];
	struct digest log_digest;

	if (put_log(store, o, &log, &log_digest, err) < 0)
		return -1;
	auto_json j = json_pack("{s:O, s:s, s:s, s:I, s:I, s:I, s:I, s:O, s:O, s:O, s:[], s:[o]}", "key", a->key, "recordedOn",
				text_time(time(NULL), when), "how", o->how, "wallUs", (json_int_t)r->wall_us, "userUs",
				(json_int_t)r->user_us, "systemUs", (json_int_t)r->sys_us, "maxRssKiB", (json_int_t)r->max_rss_kib,
				"refused", o->refused, "receipt", r->receipt, "log", log, "trees", "objects", digest_json(&log_digest));
	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "record step '%s'", o->step->name);
	if ((left != NULL && add_left(j, left, err) < 0) || add_reports(j, &o->reports, err) < 0)
		return -1;
	*ret = move_ptr(j);
	return 0;
}

static int put_latest(struct store *store, const struct digest *last, const struct digest *key, struct err *err)
{
	auto_json pointer = json_pack("{s:o, s:[], s:[]}", "key", digest_json(key), "trees", "objects");

	return pointer == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "record a step") : store_result_put(store, LAST_KIND, last, pointer, err);
}

void cache_note_latest(struct store *store, const struct plan *plan, const struct cache_answer *a, const struct spec_step *step)
{
	auto_json latest = NULL;
	struct digest last, key;
	struct err ignored = {0};

	if (last_key(plan, step, &last, &ignored) < 0 ||
	    (store_result_get(store, LAST_KIND, &last, &latest, &ignored) == 0 && get_digest(latest, "key", &key) && digest_eq(&key, &a->digest)))
		return;
	(void)put_latest(store, &last, &a->digest, &ignored);
}

int cache_record(struct store *store, const struct plan *plan, const struct cache_answer *a, const struct step_outcome *o,
		 const struct cache_build *left, struct err *err)
{
	auto_json result = NULL;
	struct digest last;

	/* A step that met a limit and ended well all the same may do better with more; a log with a gap is not what it wrote. */
	if (a->key == NULL || !o->ok || o->result.limit != SANDBOX_NO_LIMIT || o->log.failed)
		return 0;
	if (make_result(store, a, o, left, &result, err) < 0 || store_result_put(store, STEP_KIND, &a->digest, result, err) < 0 ||
	    last_key(plan, o->step, &last, err) < 0)
		return -1;
	return put_latest(store, &last, &a->digest, err);
}

/* ---- for people --------------------------------------------------------------- */

static json_t *explained(const struct spec_step *step, const struct cache_answer *a)
{
	return json_pack("{s:s, s:s, s:s, s:o*}", "name", step->name, "cache", a->result != NULL ? "hit" : a->key == NULL ? "off" : "miss",
			 "reason", a->why, "stepKey", a->key == NULL ? NULL : digest_json(&a->digest));
}

/** A test's key has what the build leaves in it, which nobody knows before the build has run. */
static int explain_test(struct store *store, const struct plan *plan, const struct spec_step *step, const struct cache_build *left,
			enum cache_use use, json_t *all, struct err *err)
{
	auto_cache_answer a = {0};

	if (left != NULL) {
		const struct built_state built = { left->output.tree, left->upper.state };

		if (cache_ask(store, plan, step, &built, use, &a, err) < 0)
			return -1;
	} else {
		snprintf(a.why, sizeof a.why, "%s", use == CACHE_NONE ? "the spec says caching.enabled: false"
			 : "it depends on what the build leaves, and the build has to run first");
	}
	json_t *one = explained(step, &a);
	if (left == NULL && use != CACHE_NONE && json_object_set_new(one, "cache", json_string("unknown")) < 0)
		json_decref(one);
	else if (json_array_append_new(all, one) == 0)
		return 0;
	return err_set(err, ERR_INTERNAL, ENOMEM, "explain the cache");
}

int plan_explain_cache(struct store *store, const struct plan *plan, json_t **ret, struct err *err)
{
	const struct spec *spec = plan->spec;
	enum cache_use use = spec->caching ? CACHE_FULL : CACHE_NONE;
	auto_cache_answer a = {0};
	struct cache_build left = {0};
	auto_json all = json_array();

	if (cache_ask(store, plan, &spec->build, NULL, use, &a, err) < 0)
		return -1;
	bool hit = a.result != NULL && cache_build_of(store, &a, true, &left);
	int result = json_array_append_new(all, explained(&spec->build, &a)) < 0 ? err_set(err, ERR_INTERNAL, ENOMEM, "explain the cache") : 0;
	for (size_t i = 0; result == 0 && i < spec->ntests; i++)
		result = explain_test(store, plan, &spec->tests[i], hit ? &left : NULL, use, all, err);
	harvest_clear(&left.output);
	if (result == 0)
		*ret = move_ptr(all);
	return result;
}
