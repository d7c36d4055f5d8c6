/* SPDX-License-Identifier: Apache-2.0 */
/* The image's config: what is asked for, on top of what a base image says. */
#include "oci/document.h"

#include <errno.h>
#include <string.h>

#include "oci/utf8.h"

/** Last second that RFC 3339 can write: 9999-12-31T23:59:59Z. */
#define CREATED_MAX 253402300799ll

/* ---- what is asked for ---------------------------------------------------- */

/** Whether @p text (NULL: not given) can stand in JSON; ERR_USAGE names it by @p what and @p name. */
static int check_text(const char *text, const char *what, const char *name, struct err *err)
{
	if (text != NULL && !utf8_valid(text, strlen(text)))
		return err_set(err, ERR_USAGE, 0, "image config: %s%s is not valid UTF-8, and JSON can hold no other text",
			       what, name);
	return 0;
}

static int check_list(const char *const *list, size_t n, const char *what, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (check_text(list[i], what, "", err) < 0)
			return -1;
	return 0;
}

/** A list that becomes the names of an object. */
static int check_set(const char *const *list, size_t n, const char *what, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(list[i], list[k]) == 0)
				return err_set(err, ERR_USAGE, 0, "image config: %s %s is given twice", what, list[i]);
	return check_list(list, n, what, err);
}

/** Names and values of environment variables or labels. */
static int check_pairs(const struct oci_kv *kv, size_t n, const char *what, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (check_text(kv[i].name, what, "'s name", err) < 0 || check_text(kv[i].value, what, kv[i].name, err) < 0)
			return -1;
		if (kv[i].name[0] == '\0')
			return err_set(err, ERR_USAGE, 0, "image config: %sa name is empty", what);
		for (size_t k = 0; k < i; k++)
			if (strcmp(kv[i].name, kv[k].name) == 0)
				return err_set(err, ERR_USAGE, 0, "image config: %s%s is given twice", what, kv[i].name);
	}
	return 0;
}

static int check_env(const struct oci_config *c, struct err *err)
{
	for (size_t i = 0; i < c->nenv; i++)
		if (strchr(c->env[i].name, '=') != NULL)
			return err_set(err, ERR_USAGE, 0, "image config: environment variable '%s' has '=' in its name",
				       c->env[i].name);
	return check_pairs(c->env, c->nenv, "environment variable ", err);
}

static int check_config(const struct oci_config *c, struct err *err)
{
	if (c->created < 0 || c->created > CREATED_MAX)
		return err_set(err, ERR_USAGE, 0, "image config: the time %lld is outside 1970 to 9999", (long long)c->created);
	if (check_env(c, err) < 0 || check_pairs(c->labels, c->nlabels, "label ", err) < 0 ||
	    check_list(c->entrypoint, c->nentrypoint, "entrypoint", err) < 0 ||
	    check_list(c->cmd, c->ncmd, "cmd", err) < 0 ||
	    check_set(c->ports, c->nports, "exposed port", err) < 0 ||
	    check_set(c->volumes, c->nvolumes, "volume", err) < 0 ||
	    check_text(c->architecture, "architecture", "", err) < 0 || check_text(c->user, "user", "", err) < 0 ||
	    check_text(c->stop_signal, "stop signal", "", err) < 0 || check_text(c->author, "author", "", err) < 0 ||
	    check_text(c->workdir, "working directory", "", err) < 0)
		return -1;
	return c->health == NULL ? 0 : check_list(c->health->test, c->health->ntest, "health check", err);
}

/*
 * Builders below return a new reference, or NULL when memory is short, and setters 0 or -1: text has been
 * checked. json_object_set_new() and json_array_append_new() take a NULL value as failure, which makes the chains safe.
 */

/* ---- on top of a base --------------------------------------------------------- */

/** Sets a text where it is given; else the base's stays. */
static int set_text(json_t *o, const char *key, const char *value)
{
	return value == NULL ? 0 : json_object_set_new(o, key, json_string(value));
}

static int set_list(json_t *o, const char *key, const char *const *list, size_t n)
{
	return n == 0 ? 0 : json_object_set_new(o, key, json_strings(list, n));
}

/** The object @p key of @p o, made where there is none; the base's may be null. Borrowed. */
static json_t *object_in(json_t *o, const char *key)
{
	if (!json_is_object(json_object_get(o, key)) && json_object_set_new(o, key, json_object()) < 0)
		return NULL;
	return json_object_get(o, key);
}

static int set_labels(json_t *o, const struct oci_kv *labels, size_t n)
{
	json_t *to = n == 0 ? NULL : object_in(o, "Labels");

	for (size_t i = 0; i < n; i++)
		if (json_object_set_new(to, labels[i].name, json_string(labels[i].value)) < 0)
			return -1;
	return 0;
}

/** Names of an object whose values say nothing: that is how a config writes a set. */
static int set_names(json_t *o, const char *key, const char *const *names, size_t n)
{
	json_t *to = n == 0 ? NULL : object_in(o, key);

	for (size_t i = 0; i < n; i++)
		if (json_object_set_new(to, names[i], json_object()) < 0)
			return -1;
	return 0;
}

/** Where the variable @p name stands in @p env; behind its end when it is not there. */
static size_t find_env(const json_t *env, const char *name)
{
	size_t len = strlen(name), i, n = json_array_size(env);

	for (i = 0; i < n; i++) {
		const char *pair = json_string_value(json_array_get(env, i));

		if (pair != NULL && strncmp(pair, name, len) == 0 && pair[len] == '=')
			break;
	}
	return i;
}

/** A variable of the base's keeps its place and gets the new value; a new one goes to the end. */
static int set_env(json_t *o, const struct oci_kv *env, size_t n)
{
	if (n == 0)
		return 0;
	if (!json_is_array(json_object_get(o, "Env")) && json_object_set_new(o, "Env", json_array()) < 0)
		return -1;
	json_t *to = json_object_get(o, "Env");
	for (size_t i = 0; i < n; i++) {
		json_t *pair = json_sprintf("%s=%s", env[i].name, env[i].value);
		size_t at = find_env(to, env[i].name);
		bool known = at < json_array_size(to);

		if ((known ? json_array_set_new(to, at, pair) : json_array_append_new(to, pair)) < 0)
			return -1;
	}
	return 0;
}

/** The base's arguments were for the base's program. */
static int set_command(json_t *o, const struct oci_config *c)
{
	if (c->nentrypoint != 0)
		(void)json_object_del(o, "Cmd");
	return set_list(o, "Entrypoint", c->entrypoint, c->nentrypoint) < 0 ? -1 : set_list(o, "Cmd", c->cmd, c->ncmd);
}

/** A number of docker's: 0 stands for its default, and is left out. */
static int set_number(json_t *o, const char *key, uint64_t v)
{
	return v == 0 ? 0 : json_object_set_new(o, key, json_integer((json_int_t)v));
}

static int set_health(json_t *o, const struct oci_health *h)
{
	auto_json j = json_object();

	if (h == NULL)
		return 0;
	if (json_object_set_new(j, "Test", json_strings(h->test, h->ntest)) < 0 ||
	    set_number(j, "Interval", h->interval_ns) < 0 || set_number(j, "Timeout", h->timeout_ns) < 0 ||
	    set_number(j, "StartPeriod", h->start_period_ns) < 0 || set_number(j, "Retries", h->retries) < 0)
		return -1;
	return json_object_set(o, "Healthcheck", j);
}

/** The member "config": how to run the image. What nobody set is absent. */
static json_t *run_json(const struct oci_config *c)
{
	const json_t *below = json_object_get(c->base, "config");
	auto_json o = json_is_object(below) ? json_deep_copy(below) : json_object();

	/* Orders for the next build on the base, which is this one: glovebox runs none, and hands none on. */
	(void)json_object_del(o, "OnBuild");
	if (set_text(o, "User", c->user) < 0 || set_text(o, "WorkingDir", c->workdir) < 0 ||
	    set_text(o, "StopSignal", c->stop_signal) < 0 || set_env(o, c->env, c->nenv) < 0 || set_command(o, c) < 0 ||
	    set_labels(o, c->labels, c->nlabels) < 0 || set_names(o, "ExposedPorts", c->ports, c->nports) < 0 ||
	    set_names(o, "Volumes", c->volumes, c->nvolumes) < 0 || set_health(o, c->health) < 0)
		return NULL;
	return move_ptr(o);
}

static json_t *rootfs_json(const struct oci_layer_file *layers, size_t n)
{
	auto_json o = json_pack("{s:s, s:[]}", "type", "layers", "diff_ids");
	json_t *ids = json_object_get(o, "diff_ids");

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(ids, document_digest(&layers[i].blob.diff_id)) < 0)
			return NULL;
	return move_ptr(o);
}

/** What the base says of its layers, as it is, and then one entry for each of ours; for all where the base says nothing. */
static json_t *history_json(const struct oci_config *c, const char *created, const struct oci_layer_file *layers, size_t n)
{
	const json_t *below = json_object_get(c->base, "history");
	bool told = json_array_size(below) != 0;
	auto_json array = told ? json_copy((json_t *)below) : json_array();

	for (size_t i = told ? document_base_layers(c->base) : 0; i < n; i++)
		if (json_array_append_new(array, json_pack("{s:s, s:s*}", "created", created,
							   "created_by", layers[i].created_by)) < 0)
			return NULL;
	return move_ptr(array);
}

/** What only a base can say of the platform, taken over; json_object_get() gives NULL without a base. */
static int keep_platform(json_t *o, const json_t *base)
{
	static const char *const keys[] = { "author", "variant", "os.version", "os.features" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		json_t *value = json_object_get(base, keys[i]);

		if (value != NULL && json_object_set(o, keys[i], value) < 0)
			return -1;
	}
	return 0;
}

/** The base's layers come first in the list, and are what its config says. */
static int check_base(const struct oci_config *c, const struct oci_layer_file *layers, size_t n, struct err *err)
{
	const json_t *ids = json_object_get(json_object_get(c->base, "rootfs"), "diff_ids");
	const char *architecture = json_str(c->base, "architecture");

	if (c->base == NULL)
		return 0;
	if (architecture == NULL || strcmp(architecture, c->architecture) != 0)
		return err_set(err, ERR_INPUT, 0, "image config: the base is for %s, this image for %s",
			       architecture != NULL ? architecture : "nothing", c->architecture);
	for (size_t i = 0; i < json_array_size(ids); i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		struct digest d;

		if (i >= n || id == NULL || !digest_parse(id, &d) || !digest_eq(&d, &layers[i].blob.diff_id))
			return err_set(err, ERR_INPUT, 0, "image config: layer %zu is not the base's", i + 1);
	}
	return 0;
}

size_t document_base_layers(const json_t *config)
{
	return json_array_size(json_object_get(json_object_get(config, "rootfs"), "diff_ids"));
}

int document_config(const struct oci_config *config, const struct oci_layer_file *layers, size_t nlayers,
		    struct buf *out, struct err *err)
{
	char created[32];

	if (check_config(config, err) < 0 || check_base(config, layers, nlayers, err) < 0)
		return -1;
	for (size_t i = 0; i < nlayers; i++)
		if (check_text(layers[i].created_by, "history", "", err) < 0)
			return -1;
	text_time(config->created, created);
	auto_json o = json_object();
	if (keep_platform(o, config->base) < 0 || set_text(o, "author", config->author) < 0 ||
	    json_object_set_new(o, "architecture", json_string(config->architecture)) < 0 ||
	    json_object_set_new(o, "os", json_string("linux")) < 0 ||
	    json_object_set_new(o, "created", json_string(created)) < 0 ||
	    json_object_set_new(o, "config", run_json(config)) < 0 ||
	    json_object_set_new(o, "rootfs", rootfs_json(layers, nlayers)) < 0 ||
	    json_object_set_new(o, "history", history_json(config, created, layers, nlayers)) < 0)
		return document_text(NULL, out, err);
	return document_text(o, out, err);
}
