/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runner/plan.h"

void plan_env_free(char **env)
{
	for (size_t i = 0; env != NULL && env[i] != NULL; i++)
		free(env[i]);
	free(env);
}

/** Sets NAME=VALUE in @p env, over an earlier one of the same name. */
static int set(char **env, const char *name, const char *value, struct err *err)
{
	auto_buf pair = {0};
	size_t len = strlen(name), i;

	buf_addf(&pair, "%s=%s", name, value);
	char *text = buf_take(&pair);
	if (text == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "build an environment");
	for (i = 0; env[i] != NULL; i++)
		if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
			break;
	free(env[i]);
	env[i] = text;
	return 0;
}

static const char *const base[][2] = {
	{ "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
	{ "HOME", "/build/home" },
	{ "TMPDIR", "/tmp" },
	{ "LANG", "C.UTF-8" },
	{ "TZ", "UTC" },
	{ "CI", "true" },
	/* fakeroot's chown fails on ids that the namespace does not map. */
	{ "FAKEROOTDONTTRYCHOWN", "1" },
};

int plan_base_env(int64_t epoch, const struct spec_pair *add, size_t nadd, char ***ret, struct err *err)
{
	char seconds[24];
	char **env = calloc(ARRAY_LEN(base) + 1 + nadd + 1, sizeof *env);

	if (env == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "build an environment");
	snprintf(seconds, sizeof seconds, "%" PRId64, epoch);
	int result = set(env, "SOURCE_DATE_EPOCH", seconds, err);
	for (size_t i = 0; result == 0 && i < ARRAY_LEN(base); i++)
		result = set(env, base[i][0], base[i][1], err);
	for (size_t i = 0; result == 0 && i < nadd; i++)
		result = set(env, add[i].name, add[i].value, err);
	if (result < 0) {
		plan_env_free(env);
		return -1;
	}
	*ret = env;
	return 0;
}

int plan_env_replace(const struct spec *spec, char **env, const char *name, const char *value, struct err *err)
{
	for (size_t i = 0; i < spec->env.n; i++)
		if (strcmp(spec->env.v[i].name, name) == 0)
			return 0;
	return value == NULL ? 0 : set(env, name, value, err);
}

int plan_env(const struct spec *spec, char ***ret, struct err *err)
{
	return plan_base_env(spec->source_date_epoch, spec->env.v, spec->env.n, ret, err);
}
