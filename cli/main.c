/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glovebox: a setuid-free, daemonless, hermetic build-step runner.
 *
 * The map. A folder includes only itself and folders above it here (make lint);
 * each folder's public header says more.
 *
 *   base/      errors, ownership, buffers, files, hashing, JSON, whose rights we work with, our own confinement
 *   spec/      a BuildSpec: YAML to typed structures, or one error at file:line:col
 *   oci/       OCI images: deterministic layers, config, manifest; a reader that trusts nothing
 *   attest/    keys, statements, DSSE, Sigstore bundles, and their verification
 *   profiles/  seccomp policy files and their compilation to BPF
 *   sandbox/   one process tree in namespaces
 *   store/     content by digest: objects, trees, names, scratch
 *   fetch/     bytes from outside, by digest
 *   rootfs/    import, pin and materialise a root filesystem
 *   inspect/   differences between trees, archives and images, and their causes
 *   runner/    the engine: spec to plan, plan to image and provenance, and back
 *   cli/       commands, options, completion, progress, exit codes. Two programs: glovebox.c, small and static, is what
 *              users start: it does `exec` itself and hands over to this one, glovebox-engine, for all else
 *
 *   tests/     unit/ e2e/ escape/ golden/ fault/ fuzz/ package/ lint/
 *   man/       the manual; packaging/ a Debian package; bench/ the measurements; examples/ specs that CI builds
 *
 * How data flows:
 *
 *   build.yaml -spec-> spec -runner-> plan (every input pinned by digest)
 *     plan: rootfs bound, sources laid out -> sandbox runs the steps -> output harvested, hashed
 *     output tree -oci-> image.tar -attest-> provenance, signed
 *   elsewhere: image.tar + bundle + public key -attest-> verdict; provenance -runner-> the same bits again
 */
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "cli/cli.h"

plan_profile_fn *const program_load_profile = plan_load_profile;

const struct command *const program_commands[] = {
	&cmd_run, &cmd_exec, &cmd_shell, &cmd_check, &cmd_plan, &cmd_lock, &cmd_rootfs, &cmd_tree, &cmd_verify, &cmd_reproduce, &cmd_diff, &cmd_key,
	&cmd_image, &cmd_cache, &cmd_profile, &cmd_doctor, &cmd_completion, NULL,
};

/** Most commands below another. */
#define VERBS_MAX 16

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; program_commands[i] != NULL; i++)
		if (strcmp(program_commands[i]->name, name) == 0)
			return program_commands[i];
	return NULL;
}

static int unknown_command(const char *name, struct err *err)
{
	const char *names[ARRAY_LEN(program_commands)];

	for (size_t i = 0; i < ARRAY_LEN(program_commands); i++)
		names[i] = program_commands[i] == NULL ? NULL : program_commands[i]->name;
	const char *near = text_did_you_mean(name, names);
	if (near != NULL)
		return err_set(err, ERR_USAGE, 0, "no command '%s' (did you mean '%s'?)", name, near);
	return err_set(err, ERR_USAGE, 0, "no command '%s'; see glovebox --help", name);
}

/** The last word of "image pack". */
static const char *verb_name(const struct command *verb)
{
	return strrchr(verb->name, ' ') + 1;
}

/** The command below @p command that @p name names, or an error. */
static int find_verb(const struct command *command, const char *name, const struct command **ret, struct err *err)
{
	const char *names[VERBS_MAX + 1] = {0};

	if (name == NULL)
		return err_set(err, ERR_USAGE, 0, "%s: what to do is missing; usage: glovebox %s %s", command->name, command->name,
			       command->synopsis);
	for (size_t i = 0; command->verbs[i] != NULL; i++) {
		names[i] = verb_name(command->verbs[i]);
		if (strcmp(names[i], name) == 0) {
			*ret = command->verbs[i];
			return 0;
		}
	}
	const char *near = text_did_you_mean(name, names);
	if (near != NULL)
		return err_set(err, ERR_USAGE, 0, "%s: no '%s' (did you mean '%s'?)", command->name, name, near);
	return err_set(err, ERR_USAGE, 0, "%s: no '%s'; usage: glovebox %s %s", command->name, name, command->name,
		       command->synopsis);
}

/** As program_run(), for a command that may have others below it. */
static int run_command(const struct command *command, char **argv, int *ret_code, struct err *err)
{
	if (command->verbs == NULL)
		return program_run(command, argv, ret_code, err);
	if (argv[0] != NULL && strcmp(argv[0], "--help") == 0) {
		help_command(command);
		return 0;
	}
	if (find_verb(command, argv[0], &command, err) < 0)
		return -1;
	return program_run(command, argv + 1, ret_code, err);
}

static int dispatch(char **argv, int *ret_code, struct err *err)
{
	const char *name = argv[1];

	if (name == NULL)
		return err_set(err, ERR_USAGE, 0, "no command given; see glovebox --help");
	if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
		help_program(program_commands);
		return 0;
	}
	if (strcmp(name, "--version") == 0) {
		program_version();
		return 0;
	}
	const struct command *command = find_command(name);
	if (command == NULL)
		return unknown_command(name, err);
	return run_command(command, argv + 2, ret_code, err);
}

int main(int argc, char **argv)
{
	struct err err = {0};
	int code = 0;

	(void)argc;
	if (argv[0] == NULL || program_begin() < 0)
		return ERR_INTERNAL;
	/* Else $OPENSSL_CONF, or the host's file, could bring providers of its own into the signing. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	int result = dispatch(argv, &code, &err);
	return program_end(result, code, &err);
}
