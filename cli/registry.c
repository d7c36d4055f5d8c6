/* SPDX-License-Identifier: Apache-2.0 */
/* How to reach registries: from options, and from what the environment says of proxies and docker. */
#include <errno.h>
#include <string.h>

#include "cli/registry.h"

/** Of a helper's environment: where it finds itself, its files, and the session that its user is asked in. */
static const char *const helper_names[] = { "PATH", "HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME" };

/** A variable that is set and not empty. */
static const char *from_env(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/** All values of an option. NULL when memory is short. */
static const char **values(const struct args *args, const char *name, size_t *ret_n)
{
	const char **v = calloc(args->ngiven + 1, sizeof *v);

	for (*ret_n = 0; v != NULL && args_nth(args, name, *ret_n) != NULL; (*ret_n)++)
		v[*ret_n] = args_nth(args, name, *ret_n);
	return v;
}

static int check_maps(const struct cli_registry *r, struct err *err)
{
	for (size_t i = 0; i < r->conf.nmaps; i++) {
		const char *eq = strchr(r->conf.maps[i], '=');

		if (eq == NULL || eq == r->conf.maps[i] || eq[1] == '\0')
			return err_set(err, ERR_USAGE, 0, "--registry-map %s: write it as FROM=TO, each HOST[:PORT][/PATH]", r->conf.maps[i]);
	}
	return 0;
}

static int find_files(struct cli_registry *r, struct err *err)
{
	const char *auth_file = from_env("REGISTRY_AUTH_FILE"), *docker = from_env("DOCKER_CONFIG");
	const char *home = from_env("HOME");
	size_t n = 0;

	if (auth_file != NULL)
		r->files[n++] = auth_file;
	if ((docker != NULL && asprintf(&r->docker_file, "%s/config.json", docker) < 0) ||
	    (docker == NULL && home != NULL && asprintf(&r->docker_file, "%s/.docker/config.json", home) < 0)) {
		r->docker_file = NULL;
		return err_set(err, ERR_INTERNAL, ENOMEM, "docker's configuration");
	}
	if (r->docker_file != NULL)
		r->files[n++] = r->docker_file;
	r->conf.credentials = r->files;
	r->conf.ncredentials = n;
	return 0;
}

static int make_helper_env(struct cli_registry *r, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(helper_names); i++) {
		const char *value = getenv(helper_names[i]);

		if (value != NULL && asprintf(&r->helper_env[n], "%s=%s", helper_names[i], value) < 0) {
			r->helper_env[n] = NULL;
			return err_set(err, ERR_INTERNAL, ENOMEM, "environment");
		}
		n += value != NULL;
	}
	r->conf.helper_env = (const char *const *)r->helper_env;
	r->conf.helper_path = getenv("PATH");
	return 0;
}

int cli_registry_open(const struct args *args, int cancel_fd, const struct ident *ident, struct cli_registry *ret, struct err *err)
{
	ret->net = cli_net();
	ret->net.cancel_fd = cancel_fd;
	ret->conf = (struct registry_conf){ .net = &ret->net, .ident = ident };
	ret->maps = values(args, "registry-map", &ret->conf.nmaps);
	ret->insecure = values(args, "insecure-registry", &ret->conf.ninsecure);
	if (ret->maps == NULL || ret->insecure == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "options");
	ret->conf.maps = ret->maps;
	ret->conf.insecure = ret->insecure;
	if (check_maps(ret, err) < 0 || find_files(ret, err) < 0 || make_helper_env(ret, err) < 0)
		return -1;
	return 0;
}

void cli_registry_close(struct cli_registry *r)
{
	free(r->maps);
	free(r->insecure);
	free(r->docker_file);
	for (size_t i = 0; i < ARRAY_LEN(r->helper_env); i++)
		free(r->helper_env[i]);
}
