/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "store/store.h"

/** What `gc` takes without options. */
#define DEFAULT_AGE_S (30ull * 86400)

static json_t *counts_json(const struct store_counts *c)
{
	auto_json j = json_object();

	for (int kind = 0; kind < STORE_KINDS; kind++)
		if (json_object_set_new(j, store_kind_name((enum store_kind)kind),
					json_pack("{s:I, s:I}", "count", (json_int_t)c->of[kind].n, "bytes", (json_int_t)c->of[kind].bytes)) < 0)
			return NULL;
	return move_ptr(j);
}

static uint64_t total(const struct store_counts *c)
{
	uint64_t bytes = 0;

	for (int kind = 0; kind < STORE_KINDS; kind++)
		bytes += c->of[kind].bytes;
	return bytes;
}

static void print_counts(const struct store_counts *c)
{
	for (int kind = 0; kind < STORE_KINDS; kind++)
		printf("%-9s %10" PRIu64 " %16" PRIu64 " bytes\n", store_kind_name((enum store_kind)kind), c->of[kind].n, c->of[kind].bytes);
	printf("%-9s %10s %16" PRIu64 " bytes\n", "all", "", total(c));
}

static int no_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "print what the store has");
}

static int run_stats(const struct args *args, int *ret_code, struct err *err)
{
	auto_store store = NULL;
	struct store_counts c;

	(void)ret_code;
	if (cli_open_store(args, &store, err) < 0 || store_stats(store, &c, err) < 0)
		return -1;
	if (!args_has(args, "json")) {
		print_counts(&c);
		return 0;
	}
	auto_json j = counts_json(&c);
	if (json_object_set_new(j, "bytes", json_integer((json_int_t)total(&c))) < 0)
		return no_memory(err);
	return cli_print_json(j, err);
}

/* ---- gc --------------------------------------------------------------------- */

/** Days too, `30d`, and nothing at all: `0`. */
static int max_age(const struct args *args, uint64_t *ret_s, struct err *err)
{
	const char *value = args_get(args, "max-age");
	uint64_t ms = 0;
	char *end;

	if (value == NULL)
		return 0;
	errno = 0;
	unsigned long days = strtoul(value, &end, 10);
	if (value[0] >= '0' && value[0] <= '9' && (strcmp(end, "d") == 0 || (days == 0 && *end == '\0')) && errno == 0 && days < 1000000) {
		*ret_s = days * 86400ull;
		return 0;
	}
	if (args_duration(args, "max-age", &ms, err) < 0)
		return -1;
	*ret_s = ms / 1000;
	return 0;
}

static int run_gc(const struct args *args, int *ret_code, struct err *err)
{
	auto_store store = NULL;
	struct store_counts removed, kept;
	struct store_gc how = { .max_age_s = UINT64_MAX, .max_bytes = UINT64_MAX, .dry_run = args_has(args, "dry-run") };

	(void)ret_code;
	if (!args_has(args, "max-age") && !args_has(args, "max-size"))
		how.max_age_s = DEFAULT_AGE_S;
	if (max_age(args, &how.max_age_s, err) < 0 || args_size(args, "max-size", &how.max_bytes, err) < 0 ||
	    cli_open_store(args, &store, err) < 0 || store_gc(store, &how, &removed, &kept, err) < 0)
		return -1;
	if (!args_has(args, "json")) {
		puts(how.dry_run ? "would be removed:" : "removed:");
		print_counts(&removed);
		puts("kept:");
		print_counts(&kept);
		return 0;
	}
	auto_json j = json_pack("{s:b, s:o, s:o}", "dryRun", (int)how.dry_run, "removed", counts_json(&removed), "kept", counts_json(&kept));
	return j == NULL ? no_memory(err) : cli_print_json(j, err);
}

/* ---- verify ------------------------------------------------------------------- */

static void take_damage(void *arg, const struct store_damage *d)
{
	json_t *all = arg;

	json_array_append_new(all, json_pack("{s:o, s:o, s:b, s:b, s:O}", "path", json_bytes(d->path, strlen(d->path)), "fault",
					     json_bytes(d->why, strlen(d->why)), "removed", (int)d->removed, "healed", (int)d->healed, "trees",
					     d->trees));
}

static void print_damage(const json_t *damage)
{
	size_t i, k;
	json_t *one, *tree;

	json_array_foreach(damage, i, one) {
		auto_buf line = {0};

		buf_addf(&line, "%s: %s%s", json_str(one, "path"), json_str(one, "fault"),
			 json_is_true(json_object_get(one, "healed")) ? " (healed)" : json_is_true(json_object_get(one, "removed")) ? " (removed)" : "");
		json_array_foreach(json_object_get(one, "trees"), k, tree)
			buf_addf(&line, "%s %s", k == 0 ? "; in" : ",", json_string_value(tree));
		cli_print_safe(stdout, line.data == NULL ? "" : line.data);
	}
}

static int run_verify(const struct args *args, int *ret_code, struct err *err)
{
	auto_store store = NULL;
	auto_json damage = json_array();
	struct store_counts c;

	(void)ret_code;
	if (cli_open_store(args, &store, err) < 0 || store_verify(store, take_damage, damage, &c, err) < 0)
		return -1;
	size_t n = json_array_size(damage);
	if (args_has(args, "json")) {
		auto_json j = json_pack("{s:O, s:o}", "damaged", damage, "checked", counts_json(&c));

		if (j == NULL || cli_print_json(j, err) < 0)
			return j == NULL ? no_memory(err) : -1;
	} else {
		print_damage(damage);
		printf("%" PRIu64 " objects, %" PRIu64 " trees, %" PRIu64 " results: %zu damaged\n", c.of[STORE_OBJECTS].n, c.of[STORE_TREES].n,
		       c.of[STORE_RESULTS_KIND].n, n);
	}
	if (n == 0)
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "the store was damaged: what was removed is made anew by the next run that needs it, from its source");
}

/* ---- the commands ----------------------------------------------------------------- */

static const struct opt_def stats_opts[] = { OPT_JSON, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END };

static const struct command cmd_cache_stats = {
	"cache stats", "[OPTION]…", "count what the store has, by kind", stats_opts, NULL, 0, 0, false, run_stats,
};

static const struct opt_def gc_opts[] = {
	{ "max-age", "TIME", "remove what nobody has used for longer, such as 30d or 12h (default, without --max-size: 30d)" },
	{ "max-size", "SIZE", "remove the longest unused until the rest takes no more, such as 20Gi" },
	{ "dry-run", NULL, "only tell what would be removed" },
	OPT_JSON, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

static const struct command cmd_cache_gc = {
	"cache gc", "[OPTION]…", "remove what has not been used for long, beside running builds", gc_opts, NULL, 0, 0, false, run_gc,
};

static const struct command cmd_cache_verify = {
	"cache verify", "[OPTION]…", "hash all of the store, remove what is damaged", stats_opts, NULL, 0, 0, false, run_verify,
};

static const struct command *const verbs[] = { &cmd_cache_stats, &cmd_cache_gc, &cmd_cache_verify, NULL };

const struct command cmd_cache = {
	.name = "cache", .synopsis = "stats | gc | verify", .summary = "count, collect, verify what the store has", .verbs = verbs,
};
