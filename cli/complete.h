/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file complete.h
 * Completion for shells. What can be typed is a list of places, read off the commands' tables; a writer for each
 * shell turns the list into a script. Private to cli/.
 */
#ifndef GB_CLI_COMPLETE_H
#define GB_CLI_COMPLETE_H

#include "cli/cli.h"

/** Most places; the length of a path to one. */
#define PLACES_MAX 96
#define PLACE_PATH_MAX 48

/** A part of a string that lives elsewhere. */
struct span {
	const char *s;
	int len;
};

/** A place in a command line: the top, after a command, after a command's verb. */
struct place {
	char path[PLACE_PATH_MAX];      /**< the words that lead there: "", "rootfs", "image pack" */
	const struct command *command;  /**< whose options can be given; NULL at the top */
	size_t parent;                  /**< index of the place that its last word is typed at; the top's is itself */
	struct span about;              /**< what the last word does */
	struct span form;               /**< arguments, as the synopsis names them: "NAME SOURCE" */
};

/** All of them, the top first. */
struct places {
	struct place v[PLACES_MAX];
	size_t n;
};

/** What a value or an argument can be. */
struct choice {
	char words[256];    /**< these words, with a space between them; may be empty */
	bool files, dirs;   /**< a file of the host; a directory of it */
};

/** Reads the tables. ERR_INTERNAL past PLACES_MAX. */
int places_read(const struct command *const *commands, struct places *ret, struct err *err);
/** The last word of a place's path. */
const char *place_word(const struct place *place);
/** Whether words lead on from the place with that index. */
bool place_leads_on(const struct places *places, size_t place);
/** The options at a place, up to an empty name: the command's, or at the top what the program has. */
const struct opt_def *place_options(const struct place *place);
/** The @p i-th argument's name. @return whether there is one */
bool place_argument(const struct place *place, size_t i, struct span *ret);
/** What can be given for an option. */
struct choice option_choice(const struct opt_def *option);
/** What can be given for the argument of that name. */
struct choice argument_choice(struct span name);

/** Appends @p s for a shell, between single quotes. */
void quote_sh(struct buf *out, const char *s, int len);

/** The scripts, appended to @p out. */
void complete_bash(const struct places *places, struct buf *out);
void complete_zsh(const struct places *places, struct buf *out);
void complete_fish(const struct places *places, struct buf *out);

#endif
