/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/registry.h"
#include "oci/foreign.h"
#include "rootfs/rootfs.h"

static int import(const struct args *args, struct store *store, struct err *err)
{
	auto_cli_registry registry = {0};
	char text[DIGEST_STR_SIZE];
	struct digest d;

	if (args->npositional != 3)
		return err_set(err, ERR_USAGE, 0, "usage: glovebox rootfs import NAME SOURCE [--ref NAME] [--platform PLATFORM]");
	/* Where nothing is fetched, a signal ends the process. */
	bool fetches = registry_is_image(args->positional[2]);
	auto_fd cancel = fetches ? cli_catch_signals(err) : -1;
	if ((fetches && cancel < 0) || cli_registry_open(args, cancel, store_ident(store), &registry, err) < 0)
		return -1;
	const struct rootfs_source source = {
		.text = args->positional[2], .ref = args_get(args, "ref"), .platform = args_get(args, "platform"), .registry = &registry.conf,
	};
	if (rootfs_import_from(store, args->positional[1], &source, &d, err) < 0)
		return -1;
	digest_str(&d, text);
	if (args_has(args, "json")) {
		auto_json j = json_pack("{s:s, s:s}", "name", args->positional[1], "digest", text);

		return cli_print_json(j, err);
	}
	puts(text);
	return 0;
}

static int list(const struct args *args, struct store *store, struct err *err)
{
	char **names = NULL;
	auto_json all = json_array();
	int result = 0;

	if (store_list_names(store, &names, err) < 0)
		return -1;
	for (size_t i = 0; result == 0 && names[i] != NULL; i++) {
		char text[DIGEST_STR_SIZE];
		struct digest d;

		result = store_get_name(store, names[i], &d, err);
		if (result == 0 && args_has(args, "json"))
			json_array_append_new(all, json_pack("{s:s, s:s}", "name", names[i], "digest", digest_str(&d, text)));
		else if (result == 0)
			printf("%s@%s\n", names[i], digest_str(&d, text));
	}
	store_names_free(names);
	if (result == 0 && args_has(args, "json"))
		result = cli_print_json(all, err);
	return result;
}

/** Counts what a tree holds. */
static int count(struct store *store, const struct digest *d, uint64_t n[3], uint64_t *ret_bytes, struct err *err)
{
	auto_tree_reader reader = NULL;
	struct tree_entry e;
	int more;

	if (store_read_tree(store, d, &reader, err) < 0)
		return -1;
	while ((more = tree_reader_next(reader, &e, err)) > 0) {
		n[e.type]++;
		*ret_bytes += e.type == TREE_FILE ? e.size : 0;
	}
	return more;
}

/** The names that stand for @p d. */
static int names_of(struct store *store, const struct digest *d, json_t *ret, struct err *err)
{
	char **names = NULL;
	int result = store_list_names(store, &names, err);

	for (size_t i = 0; result == 0 && names[i] != NULL; i++) {
		struct digest other;

		result = store_get_name(store, names[i], &other, err);
		if (result == 0 && digest_eq(&other, d))
			json_array_append_new(ret, json_string(names[i]));
	}
	store_names_free(names);
	return result;
}

static int show(const struct args *args, struct store *store, struct err *err)
{
	uint64_t n[3] = {0}, bytes = 0;
	char text[DIGEST_STR_SIZE];
	struct digest d;
	bool pinned;

	if (args->npositional != 2)
		return err_set(err, ERR_USAGE, 0, "usage: glovebox rootfs show REF");
	auto_json names = json_array();
	if (rootfs_resolve(store, args->positional[1], &d, &pinned, err) < 0 || count(store, &d, n, &bytes, err) < 0 ||
	    names_of(store, &d, names, err) < 0)
		return -1;
	auto_json j = json_pack("{s:s, s:O, s:I, s:I, s:I, s:I}", "digest", digest_str(&d, text), "names", names, "files",
				(json_int_t)n[TREE_FILE], "directories", (json_int_t)n[TREE_DIR], "links",
				(json_int_t)n[TREE_LINK], "bytes", (json_int_t)bytes);
	if (args_has(args, "json"))
		return cli_print_json(j, err);
	printf("digest       %s\nfiles        %" PRIu64 "\ndirectories  %" PRIu64 "\nlinks        %" PRIu64
	       "\nbytes        %" PRIu64 "\n", text, n[TREE_FILE], n[TREE_DIR], n[TREE_LINK], bytes);
	for (size_t i = 0; i < json_array_size(names); i++)
		printf("%-12s %s\n", i == 0 ? "names" : "", json_string_value(json_array_get(names, i)));
	return 0;
}

/** The architecture that --platform names, in @p room; NULL without one. */
static int export_platform(const struct args *args, struct oci_platform *room, const char **ret, struct err *err)
{
	const char *given = args_get(args, "platform");

	if (oci_platform_parse(given, room, err) < 0)
		return -1;
	if (strcmp(room->os, "linux") != 0 || room->variant[0] != '\0')
		return err_set(err, ERR_USAGE, 0, "--platform %s: an image is exported for linux/ARCHITECTURE", given);
	*ret = given == NULL ? NULL : room->architecture;
	return 0;
}

static int export(const struct args *args, struct store *store, struct err *err)
{
	const char *format = args_get(args, "format"), *path = args_get(args, "output");
	struct rootfs_export how = { .oci = format != NULL && strcmp(format, "oci") == 0, .ref = args_get(args, "ref") };
	struct oci_platform platform;
	struct digest d;

	if (args->npositional != 2 || path == NULL)
		return err_set(err, ERR_USAGE, 0, "usage: glovebox rootfs export REF -o FILE [--format tar|oci]");
	if (format != NULL && !how.oci && strcmp(format, "tar") != 0)
		return err_set(err, ERR_USAGE, 0, "--format %s: it is tar or oci", format);
	if (!how.oci && (how.ref != NULL || args_has(args, "platform")))
		return err_set(err, ERR_USAGE, 0, "--ref and --platform belong to images: add --format oci");
	if (export_platform(args, &platform, &how.architecture, err) < 0 || rootfs_resolve(store, args->positional[1], &d, NULL, err) < 0)
		return -1;
	return rootfs_export(store, &d, &how, path, err);
}

static int remove_name(const struct args *args, struct store *store, struct err *err)
{
	if (args->npositional != 2)
		return err_set(err, ERR_USAGE, 0, "usage: glovebox rootfs remove NAME");
	return store_remove_name(store, args->positional[1], err);
}

static const struct {
	const char *name;
	int (*run)(const struct args *args, struct store *store, struct err *err);
	const char *const *opts;   /**< of its own, besides those of all */
} verbs[] = {
	{ "import", import, (const char *const[]){ "ref", "platform", "registry-map", "insecure-registry", "json", NULL } },
	{ "list", list, (const char *const[]){ "json", NULL } },
	{ "show", show, (const char *const[]){ "json", NULL } },
	{ "export", export, (const char *const[]){ "ref", "platform", "output", "format", NULL } },
	{ "remove", remove_name, (const char *const[]){ NULL } },
};

/** An option of another verb would change nothing, and seem to. */
static int check_options(const struct args *args, const char *verb, const char *const *own, struct err *err)
{
	static const char *const all[] = { "store", "step-user", "help" };

	for (size_t i = 0; i < args->ngiven; i++) {
		const char *name = args->given[i].def->name;
		bool known = false;

		for (size_t k = 0; k < ARRAY_LEN(all); k++)
			known = known || strcmp(all[k], name) == 0;
		for (size_t k = 0; own[k] != NULL; k++)
			known = known || strcmp(own[k], name) == 0;
		if (!known)
			return err_set(err, ERR_USAGE, 0, "rootfs %s: --%s has no meaning here", verb, name);
	}
	return 0;
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_store store = NULL;

	(void)ret_code;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(args->positional[0], verbs[i].name) == 0)
			return check_options(args, verbs[i].name, verbs[i].opts, err) < 0 || cli_open_store(args, &store, err) < 0
				       ? -1 : verbs[i].run(args, store, err);
	return err_set(err, ERR_USAGE, 0, "rootfs: no '%s'; it is import, list, show, export or remove", args->positional[0]);
}

static const struct opt_def opts[] = {
	{ "ref", "NAME", "import: the image of that name, tag or digest; export: the image's name" },
	{ "platform", "OS/ARCH", "import, export: for which machine (default: this one)" },
	{ "output", "FILE", "export: the file to write", .letter = 'o' },
	{ "format", "FORMAT", "export: tar (default) or oci", .words = "tar oci" },
	OPT_REGISTRY_MAP, OPT_INSECURE_REGISTRY, OPT_JSON, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END
};

const struct command cmd_rootfs = {
	"rootfs", "import NAME SOURCE | list | show REF | export REF -o FILE | remove NAME", "root filesystems in the store", opts, NULL, 1, 3, false, run,
};
