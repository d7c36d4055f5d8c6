/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/registry.h"
#include "runner/runner.h"

/** 1980-01-01, as for all that glovebox makes; and the last second that RFC 3339 can write. */
#define DEFAULT_EPOCH 315532800
#define EPOCH_MAX 253402300799ll

#define FIELD(name) "spec.build.artifact.config." name

/** The values given for an option that may come several times. */
struct values {
	const char **v;
	size_t n;
};

/** NAME=VALUE pairs; owns the names. */
struct pairs {
	struct oci_kv *v;
	char **names;
	size_t n;
};

/** What the options say. */
struct wanted {
	struct values entrypoint, cmd, ports, volumes;
	struct pairs env, labels;
	int64_t epoch;
};

static void pairs_clear(struct pairs *p)
{
	for (size_t i = 0; p->names != NULL && i < p->n; i++)
		free(p->names[i]);
	free(p->names);
	free(p->v);
}

static void wanted_clear(struct wanted *w)
{
	free(w->entrypoint.v);
	free(w->cmd.v);
	free(w->ports.v);
	free(w->volumes.v);
	pairs_clear(&w->env);
	pairs_clear(&w->labels);
}

/** Whether a spec would take @p value at @p field. */
static int check_value(const char *option, const char *field, const char *value, struct err *err)
{
	if (value == NULL || spec_check_value(field, value, err) == 0)
		return 0;
	return err_ctx(err, "--%s", option);
}

static int take_values(const struct args *args, const char *option, const char *field, struct values *ret, struct err *err)
{
	const char *value;

	ret->v = calloc(args->ngiven + 1, sizeof *ret->v);
	if (ret->v == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "--%s", option);
	for (; (value = args_nth(args, option, ret->n)) != NULL; ret->n++) {
		if (check_value(option, field, value, err) < 0)
			return -1;
		ret->v[ret->n] = value;
	}
	return 0;
}

static int take_pair(struct pairs *p, const char *option, const char *field, const char *value, struct err *err)
{
	const char *equals = strchr(value, '=');

	if (equals == NULL)
		return err_set(err, ERR_USAGE, 0, "--%s %s: write it as NAME=VALUE", option, value);
	p->names[p->n] = strndup(value, (size_t)(equals - value));
	if (p->names[p->n] == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "--%s", option);
	p->v[p->n] = (struct oci_kv){ p->names[p->n], equals + 1 };
	return check_value(option, field, p->names[p->n++], err);
}

static int take_pairs(const struct args *args, const char *option, const char *field, struct pairs *p, struct err *err)
{
	const char *value;

	p->v = calloc(args->ngiven + 1, sizeof *p->v);
	p->names = calloc(args->ngiven + 1, sizeof *p->names);
	if (p->v == NULL || p->names == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "--%s", option);
	while ((value = args_nth(args, option, p->n)) != NULL)
		if (take_pair(p, option, field, value, err) < 0)
			return -1;
	return 0;
}

static int take_epoch(const struct args *args, int64_t *ret, struct err *err)
{
	const char *value = args_get(args, "epoch");
	char *end;

	*ret = DEFAULT_EPOCH;
	if (value == NULL)
		return 0;
	errno = 0;
	long long v = strtoll(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || v > EPOCH_MAX)
		return err_set(err, ERR_USAGE, 0, "--epoch %s: seconds since 1970 are 0 to %lld", value, EPOCH_MAX);
	*ret = v;
	return 0;
}

static int take_codec(const struct args *args, enum oci_compression *ret, struct err *err)
{
	static const char *const words[] = { [OCI_GZIP] = "gzip", [OCI_ZSTD] = "zstd", [OCI_NONE] = "none" };
	const char *value = args_get(args, "compression");

	*ret = OCI_GZIP;
	if (value == NULL)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], value) == 0) {
			*ret = (enum oci_compression)i;
			return 0;
		}
	return err_set(err, ERR_USAGE, 0, "--compression %s: it is gzip, zstd or none", value);
}

static int take_wanted(const struct args *args, struct wanted *w, struct err *err)
{
	if (take_values(args, "entrypoint", FIELD("entrypoint"), &w->entrypoint, err) < 0 ||
	    take_values(args, "cmd", FIELD("cmd"), &w->cmd, err) < 0 ||
	    take_values(args, "port", FIELD("exposedPorts"), &w->ports, err) < 0 ||
	    take_values(args, "volume", FIELD("volumes"), &w->volumes, err) < 0 ||
	    take_pairs(args, "env", FIELD("env"), &w->env, err) < 0 ||
	    take_pairs(args, "label", FIELD("labels"), &w->labels, err) < 0 ||
	    check_value("user", FIELD("user"), args_get(args, "user"), err) < 0 ||
	    check_value("workdir", FIELD("workingDir"), args_get(args, "workdir"), err) < 0 ||
	    check_value("stop-signal", FIELD("stopSignal"), args_get(args, "stop-signal"), err) < 0 ||
	    check_value("to", "spec.build.artifact.layers[].to", args_get(args, "to"), err) < 0)
		return -1;
	return take_epoch(args, &w->epoch, err);
}

static int print_report(const struct args *args, const struct image_pack_report *r, struct err *err)
{
	char image[DIGEST_STR_SIZE], tar[DIGEST_STR_SIZE];

	digest_str(&r->image, image);
	if (!args_has(args, "json")) {
		puts(image);
		return 0;
	}
	auto_json j = json_pack("{s:s, s:{s:s, s:I}}", "digest", image, "tar", "digest", digest_str(&r->tar, tar), "size",
				(json_int_t)r->tar_size);
	return j == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "print JSON") : cli_print_json(j, err);
}

static int pack(const struct args *args, const struct wanted *w, struct err *err)
{
	const char *to = args_get(args, "to"), *base = args_get(args, "base");
	struct oci_config config = {
		.architecture = oci_architecture(), .created = w->epoch,
		.entrypoint = w->entrypoint.v, .nentrypoint = w->entrypoint.n, .cmd = w->cmd.v, .ncmd = w->cmd.n,
		.env = w->env.v, .nenv = w->env.n, .labels = w->labels.v, .nlabels = w->labels.n,
		.ports = w->ports.v, .nports = w->ports.n, .volumes = w->volumes.v, .nvolumes = w->volumes.n,
		.user = args_get(args, "user"), .workdir = args_get(args, "workdir"), .stop_signal = args_get(args, "stop-signal"),
	};
	struct image_pack_options opt = {
		.dir = args->positional[0], .out = args_get(args, "output"), .to = to != NULL ? to : "/",
		.base = base != NULL ? base : "scratch", .name = args_get(args, "name"), .config = &config,
	};
	struct image_pack_report report;
	auto_cli_registry registry = {0};
	auto_store store = NULL;

	if (opt.out == NULL)
		return err_set(err, ERR_USAGE, 0, "image pack: where to? give --output FILE");
	if (take_codec(args, &opt.codec, err) < 0 || cli_open_store(args, &store, err) < 0)
		return -1;
	opt.cancel_fd = cli_catch_signals(err);
	opt.registry = &registry.conf;
	if (opt.cancel_fd < 0 || cli_registry_open(args, opt.cancel_fd, store_ident(store), &registry, err) < 0 ||
	    image_pack(store, &opt, &report, err) < 0)
		return -1;
	return print_report(args, &report, err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	__attribute__((cleanup(wanted_clear))) struct wanted w = {0};

	(void)ret_code;
	return take_wanted(args, &w, err) < 0 ? -1 : pack(args, &w, err);
}

static const struct opt_def opts[] = {
	{ "output", "FILE", "the image.tar to write", false, 'o' },
	{ "base", "REF", "what lies below: scratch (default), a root filesystem of the store, oci:PATH@sha256:DIGEST, or one in a registry" },
	{ "to", "PATH", "where the directory goes in the image (default /)" },
	{ "compression", "HOW", "gzip (default), zstd or none", .words = "gzip zstd none" },
	{ "name", "NAME", "reference name in index.json (default latest)" },
	{ "entrypoint", "ARG", "program, and then its first arguments", true },
	{ "cmd", "ARG", "default arguments", true },
	{ "env", "K=V", "environment variable", true },
	{ "user", "USER", "user that the program runs as: USER or USER:GROUP" },
	{ "workdir", "PATH", "directory that the program starts in" },
	{ "label", "K=V", "label", true },
	{ "port", "PORT", "port that the program listens on, such as 80/tcp", true },
	{ "volume", "PATH", "directory that outlives a container", true },
	{ "stop-signal", "SIGNAL", "signal that asks the program to end" },
	{ "epoch", "SECONDS", "time in the image's configuration (default 315532800: 1980-01-01)" },
	OPT_REGISTRY_MAP, OPT_INSECURE_REGISTRY, OPT_JSON, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

const struct command cmd_image_pack = {
	"image pack", "DIR --output FILE [OPTION]…", "make a deterministic image of a directory", opts, NULL, 1, 1, false, run,
};
