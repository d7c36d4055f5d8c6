/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glovebox: what users start. A small static program, because the dynamic linker alone would take longer than a
 * sandbox: it does `exec` itself, and becomes glovebox-engine (main.c, which has the map) for every other command.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "profiles/profiles.h"

plan_profile_fn *const program_load_profile = plan_load_shipped_profile;

/** Where the engine is, from the directory of this program: in a build directory, and installed. */
static const char *const engine_places[] = { "glovebox-engine", "../libexec/glovebox/glovebox-engine" };

/** Whether @p path belongs to root or to this program's owner: in /tmp, say, "../libexec" is anybody's to make. */
static bool is_ours(const char *path)
{
	struct stat own, st;

	return stat("/proc/self/exe", &own) == 0 && stat(path, &st) == 0 && (st.st_uid == 0 || st.st_uid == own.st_uid);
}

/** Becomes the engine: the same arguments, environment, descriptors and directory. Nothing of these decides which program that is. */
static int hand_over(char **argv, struct err *err)
{
	char dir[PATH_MAX], path[PATH_MAX + 64];

	if (program_directory(dir, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(engine_places); i++) {
		snprintf(path, sizeof path, "%s%s", dir, engine_places[i]);
		if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		if (access(path, X_OK) < 0)
			return err_set(err, ERR_INTERNAL, errno, "start '%s', which does this (is it, or a directory above it, closed to this user?)", path);
		if (!is_ours(path))
			return err_set(err, ERR_INTERNAL, 0, "'%s' belongs neither to root nor to the owner of this program: not started", path);
		execve(path, argv, environ);
		return err_set(err, ERR_INTERNAL, errno, "start '%s'", path);
	}
	return err_set(err, ERR_INTERNAL, 0, "%s: glovebox-engine, which does this, is neither in '%s' nor in '%s../libexec/glovebox': "
		       "install the two programs together (make install)", argv[1] == NULL ? "glovebox" : argv[1], dir, dir);
}

/** Whether `exec` is asked for what this program is too small for: a profile that has to be compiled. */
static bool is_beyond(char **argv)
{
	auto_args args = {0};
	struct err ignored = {0};

	if (args_parse(&cmd_exec, argv, &args, &ignored) < 0)
		return false;
	const char *profile = args_get(&args, "profile");
	return profile != NULL && profile_builtin(profile) == NULL;
}

static int dispatch(char **argv, int *ret_code, struct err *err)
{
	const char *name = argv[1];

	if (name != NULL && strcmp(name, "--version") == 0) {
		program_version();
		return 0;
	}
	if (name == NULL || strcmp(name, cmd_exec.name) != 0 || is_beyond(argv + 2))
		return hand_over(argv, err);
	return program_run(&cmd_exec, argv + 2, ret_code, err);
}

int main(int argc, char **argv)
{
	struct err err = {0};
	int code = 0;

	(void)argc;
	if (argv[0] == NULL || program_begin() < 0)
		return ERR_INTERNAL;
	int result = dispatch(argv, &code, &err);
	return program_end(result, code, &err);
}
