/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file probe.h
 * Hostile probes, one static program of many. Each row of a table is one try to get at something that a step must
 * not get at; it says the promise it belongs to (glovebox-security(7)), and the answer to expect under each profile.
 *
 * A try ends with held(), through() or broken(), and held() is said only after a look at the effect: that a call
 * answered with an error is not enough, and no error is no proof either. Each try runs in a process of its own, so
 * the answer can also be the signal that ended it.
 *
 * An answer is one of the words, or several with '|' between:
 *   through      the effect was there: a hole, or what this profile permits on purpose
 *   held         no effect, and no call said why
 *   EPERM …      no effect, and the call answered this
 *   SIGSYS …     the try was killed
 *   *            any of these but through, and but a hang
 */
#ifndef GB_TEST_PROBE_H
#define GB_TEST_PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What became of a try. */
enum verdict { HELD, THROUGH, BROKEN };

/** One try, in a process of its own. */
typedef enum verdict probe_fn(void);

/** Where the probes run. */
enum mode {
	MODE_STRICT, MODE_DEFAULT, MODE_DEBUG, /**< the shipped profiles */
	MODE_FLOOR, /**< a profile that allows all, on the floor that no profile can take away */
	MODE_BARE,  /**< no filter at all: namespaces, mounts, capabilities, limits and Landlock alone */
	MODE_WEAK,  /**< the control: plain unshare(1), where a probe that can see must get through */
	MODE_PEER,  /**< another sandbox (bench/escape-matrix): what comes of a probe is told, and nothing is expected */
	MODES,
};

/** A row of a table. An answer that is NULL is that of the mode before it; for strict EPERM, for floor, bare and peer "*",
 *  for weak "through"; "-": the probe is not for this mode. */
struct probe {
	int promise;
	const char *name;
	probe_fn *fn;          /**< or NULL: raw */
	const char *answer[MODES];
	const char *reason;    /**< why a profile permits it; required where strict, default or debug say through */
	long nr;               /**< raw: the call's number, and */
	long args[6];          /**< its arguments; the effect is that it did not fail */
};

/** The effect was there. @p fmt: what was seen. */
enum verdict through(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** No effect; @p sys: the errno that the call answered, 0 when it said nothing. */
enum verdict held(int sys);
/** The try could not be made here. */
enum verdict broken(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** through() when @p r is not negative, else held() with errno. For calls whose success is the effect. */
enum verdict unless_failed(long r, const char *what);

/** Texts that name places of the host (the store, the caller's directory): no step must see them. Empty-terminated. */
extern char needles[8][128];
/** Ports of the listeners that the caller keeps (caller.c); 0: none. */
extern unsigned host_tcp_port, host_vsock_port;
/** Name of the caller's abstract socket. */
extern char host_abstract[64];
/** What is added to it for the one whose owner hands out a directory of the host. */
#define GIVER "-giver"
/** The key of the caller's shared memory, by that name. */
int segment_key(const char *name);
/** The mode this program runs in, and whether the step has its own loopback. */
extern enum mode mode;
extern bool with_loopback;

/** Reads up to @p size - 1 bytes of a file. @return how many, or -1; always terminated. */
ssize_t slurp(const char *path, char *data, size_t size);
/** Value of a "Name:\tvalue" line of a file such as /proc/self/status; NULL when missing. Static storage. */
const char *field(const char *path, const char *name);
/** Creates a file with a few bytes. @return 0 or -1. */
int put_file(const char *path, mode_t mode);
/** @return whether the path has setuid or setgid, or is a device, without following a link. */
bool is_dangerous(const char *path);

/** Tables, each ended by a row without a name. */
extern const struct probe caller_probes[], privilege_probes[], kernel_probes[], ring_probes[], reach_probes[], abi_probes[], socket_probes[],
	network_probes[], file_probes[], mode_probes[], process_probes[], start_probes[], limit_probes[];

/** The class of attack that a probe belongs to (classes.c), each to one. */
struct probe_class {
	const char *name;
	const char *about;   /**< one line, with the holes that it is known by */
	bool house;          /**< no attack: what glovebox's own filter answers, or permits; nothing to ask of others */
	const char *probes;  /**< their names, with spaces before, between and behind */
};
/** Ended by one without a name. */
extern const struct probe_class probe_classes[];
/** @return the class that has a probe of this name, or NULL. */
const struct probe_class *class_of(const char *probe);
/** A probe by its number, from 0; NULL after the last. */
const struct probe *nth_probe(size_t n);
/** @return whether a probe is one for this mode. */
bool is_for(const struct probe *p, enum mode m);
/** `probe classes`: "CLASS PROBE" of every name in the table. `probe classes about`: "CLASS<tab>house or attack<tab>LINE" of every class.
 * That each probe is in exactly one is tests/escape/classes.t's to see. */
int classes_main(int argc, char **argv);

/** A root filesystem that is laid out to do harm while the sandbox is made (starts.c). */
struct start {
	const char *probe;    /**< the probe that looks at what came of it, from inside */
	const char *link;     /**< this path is made a link, and */
	const char *to;       /**< leads there; "VICTIM": to a directory of the host's, by as many ".." as it takes */
	const char *target;   /**< a mount is asked for on this, or NULL */
	const char *workdir;  /**< the command begins here, or NULL: where it does anyway */
	const char *command;  /**< this is started with --version, or NULL: the probe */
};
/** Ended by one without a probe. */
extern const struct start starts[];
const struct start *start_of(const char *probe);
/** A link's target as it is put into a root filesystem; static storage. @p victim: the directory that VICTIM stands for. */
const char *start_target(const struct start *s, const char *victim);
/** Where a mount, and what the links lead to, is looked for: a directory of each such root filesystem, with one file. */
#define AIMED "/aimed"
#define AIMED_FILE AIMED "/passwd"
#define AIMED_TEXT "as it was laid out\n"
/** `probe starts`: "PROBE LINK TO TARGET WORKDIR COMMAND" of each, "-" for NULL. `probe starts PROBE DIR VICTIM`: makes a root filesystem, which is
 *  there but for this, the one of this probe. */
int starts_main(int argc, char **argv);

/** A mode's name, and back; MODES for a name that none has. */
const char *mode_name(enum mode m);
enum mode mode_by_name(const char *name);
/** How many probes of a promise there are for a mode. */
int probes_of(int promise, enum mode m);

/** `probe suite …`: all of the table in boxes (suite.c). */
int suite_main(int argc, char **argv);
/** `probe caller …`: runs a command with all that a careless caller could leave it (caller.c). */
int caller_main(int argc, char **argv);
/** `probe alone …`, `probe kills …`: what is left of a command when it has ended, or been killed (reaper.c). */
int alone_main(int argc, char **argv);
int kills_main(int argc, char **argv);
/** `probe act WHAT`: the hostile programs that are not one try: daemons, crowds, bombs (acts.c). */
int act_main(int argc, char **argv);

#endif
