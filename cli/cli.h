/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cli.h
 * cli/: commands, options, progress, exit codes. Only this folder prints, exits
 * or reads the environment. A command is a row of the table in main.c and a file
 * cmd_NAME.c; its options are a table, from which parsing, --help, completion and the check of
 * the manual page all come.
 */
#ifndef GB_CLI_H
#define GB_CLI_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "fetch/fetch.h"
#include "runner/runner.h"
#include "store/store.h"

/* ---- options --------------------------------------------------------- */

/** One option. A table of them ends with an empty name. */
struct opt_def {
	const char *name;   /**< without the dashes */
	const char *arg;    /**< what its value is called, or NULL for a switch */
	const char *help;   /**< one line */
	bool repeat;        /**< may be given several times; else a second one is an error, not a silent winner */
	char letter;        /**< "-x" for it as well, or 0 */
	const char *words;  /**< what its value can be, where that is a fixed list: "none loopback"; else NULL */
};

/** One `--NAME VALUE` that was given. Borrowed from argv. */
struct opt_given {
	const struct opt_def *def;
	const char *value;
};

/** A parsed command line. Owns only its arrays. */
struct args {
	const struct command *command;
	struct opt_given *given;
	size_t ngiven;
	const char **positional;      /**< before `--` */
	size_t npositional;
	const char *const *rest;      /**< after `--`, NULL-terminated; NULL: there was no `--` */
};

/** A command of the program. */
struct command {
	const char *name;
	/** "SPEC [OPTION]…"; or, of a command that does several things, each with its word: "list | show P". Completion reads it. */
	const char *synopsis;
	const char *summary;          /**< one line */
	const struct opt_def *opts;
	const char *const *later;     /**< options that a later version brings (NULL-terminated), or NULL */
	size_t min_args, max_args;    /**< positional arguments */
	bool takes_rest;              /**< a command after `--` */
	/** Does the work; prints its results. -1 with @p err, or 0 with *ret_code the exit code (0 beforehand). */
	int (*run)(const struct args *args, int *ret_code, struct err *err);
	/** Commands below this one, each with options of its own ("image pack"; NULL-terminated); opts and run are NULL then. */
	const struct command *const *verbs;
	bool rest_optional;           /**< takes_rest, and does without */
	bool passes_code;             /**< *ret_code is another program's: its own failures are all 125, so that they are known */
};

/** Options that several commands share, for their tables. */
#define OPT_STORE { "store", "DIR", "the store (default $GLOVEBOX_STORE, else $XDG_CACHE_HOME/glovebox, else ~/.cache/glovebox)" }
#define OPT_STEP_USER { "step-user", "UID:GID", "started by root: the unprivileged ids that steps and the store have (default: the store's owner)" }
#define OPT_JSON { "json", NULL, "print facts as JSON" }
#define OPT_HELP { "help", NULL, "print this help and exit" }
#define OPT_GRACE { "grace", "TIME", "between SIGTERM and SIGKILL when a step must end (default 10s)" }
#define OPT_END { NULL, NULL, NULL }

/** Parses argv after the command's name. ERR_USAGE names the nearest option. */
int args_parse(const struct command *command, char **argv, struct args *ret, struct err *err);
void args_clear(struct args *args);
#define auto_args __attribute__((cleanup(args_clear))) struct args

/** The last value given for an option, or NULL. A switch that was given has "". */
const char *args_get(const struct args *args, const char *name);
bool args_has(const struct args *args, const char *name);
/** The @p i-th value given for an option that may come several times, or NULL past the end. */
const char *args_nth(const struct args *args, const char *name, size_t i);
/** Values as durations, sizes, counts; absent leaves *ret. ERR_USAGE otherwise. */
int args_duration(const struct args *args, const char *name, uint64_t *ret_ms, struct err *err);
int args_size(const struct args *args, const char *name, uint64_t *ret, struct err *err);
int args_cpus(const struct args *args, const char *name, uint64_t *ret_millis, struct err *err);

/** Prints a command's help, or the list of commands, to standard output. */
void help_command(const struct command *command);
void help_program(const struct command *const *commands);

/* ---- what commands share --------------------------------------------- */

/** Opens the store that --store, the environment or the default names, and becomes the step user. */
int cli_open_store(const struct args *args, struct store **ret, struct err *err);

/** How to reach the network, as the environment says: proxies (http_proxy, https_proxy, all_proxy, no_proxy), SSL_CERT_FILE. Its cancel_fd is -1. */
struct fetch_net cli_net(void);

/** A descriptor of ours for what @p fd is. A pipe or terminal is opened anew where that can be, to read or write (O_RDONLY, O_WRONLY): then it
 *  need not block us, and still blocks whoever shares it. What else there is cannot be without its offset. -1 with errno. */
int cli_open_again(int fd, int mode);
/** `out` beside the spec file: where results go when nobody says. The caller frees it; NULL when memory is short. */
char *cli_default_out(const char *spec);
/** Where temporary files go: $TMPDIR, else /tmp. Borrowed. */
const char *cli_tmp_dir(void);
/** Prints @p s as one line, made safe for a terminal, to @p to. */
void cli_print_safe(FILE *to, const char *s);
/** Prints to standard error what a filter refused: `refused` of a receipt or a step's result. */
void cli_print_refused(const json_t *refused);
/** Prints JSON for people to standard output. */
int cli_print_json(const json_t *j, struct err *err);
struct key;
/** Reads a public key's file. */
int cli_read_public_key(const char *path, struct key **ret, struct err *err);
/** Reads the public keys given by --key (at least one unless @p may_be_none). Free each, and the array. */
int cli_read_public_keys(const struct args *args, bool may_be_none, struct key ***ret, size_t *ret_n, struct err *err);
void cli_free_keys(struct key **keys, size_t n);

/** Where a passphrase comes from. */
struct cli_passphrase {
	int fd;      /**< its first line; -1: the terminal, without echo */
	bool twice;  /**< the terminal is asked twice, and both must be the same */
};
#define OPT_PASSPHRASE_FD { "passphrase-fd", "N", "read the key's passphrase from descriptor N, not from the terminal" }
/** The descriptor that --passphrase-fd names, close-on-exec from now on; -1 where it is not given. */
int cli_passphrase_fd(const struct args *args, int *ret, struct err *err);
/** Gets a passphrase; @p arg is a struct cli_passphrase, the rest as in struct key_passphrase. */
int cli_passphrase(void *arg, const char *what, int hangup_fd, struct buf *ret, struct err *err);

/** From here on SIGINT and SIGTERM make the returned descriptor readable, 8 bytes each; a third one ends the process. -1 on failure. */
int cli_catch_signals(struct err *err);
/** The first signal that was caught, or 0. */
int cli_caught_signal(void);

struct run_event;
/** Progress on standard error; a run_event_fn. */
void cli_progress(void *arg, const struct run_event *event);

/* ---- the two programs ------------------------------------------------ */

/* glovebox.c, small and linked static, is what users start: it does `exec` itself, and hands every other command over to
 * main.c, the engine, which has them all, `exec` included: for what the small one cannot do (profiles of one's own). */

/** What finds a profile for `exec`. Defined beside each main(). */
extern plan_profile_fn *const program_load_profile;

/** The directory of this program, with a slash at its end. */
int program_directory(char dir[PATH_MAX], struct err *err);
/** First of all in main(): standard descriptors are open, no core file, SIGXFSZ ignored. -1 when that cannot be. */
int program_begin(void);
/** Parses argv after the command's name, and runs the command, or prints its help. */
int program_run(const struct command *command, char **argv, int *ret_code, struct err *err);
/** Prints the version, as both programs do. */
void program_version(void);
/** Last of all: tells @p err where @p result is -1. @return the exit code of the process, @p code where nothing failed. */
int program_end(int result, int code, const struct err *err);

/* ---- the commands ---------------------------------------------------- */

extern const struct command cmd_run, cmd_exec, cmd_check, cmd_plan, cmd_lock, cmd_rootfs, cmd_tree, cmd_verify, cmd_reproduce,
	cmd_diff, cmd_key, cmd_cache, cmd_profile, cmd_completion, cmd_image, cmd_image_pack, cmd_image_inspect,
	cmd_image_push, cmd_image_pull, cmd_doctor, cmd_shell, cmd_profile_list, cmd_profile_show,
	cmd_profile_check, cmd_profile_explain, cmd_profile_learn;

/** All of them, as --help lists them; NULL-terminated. Defined beside the engine's main(). */
extern const struct command *const program_commands[];

#endif
