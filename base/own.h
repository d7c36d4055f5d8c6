/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file own.h
 * Scope-bound ownership. A variable declared `auto_…` owns what it holds and
 * lets go of it at the end of its scope; ownership leaves only by `move_…`.
 * -1 is the only "no fd". close(2) is never retried (Linux has closed the
 * descriptor even when it says EINTR).
 */
#ifndef GB_OWN_H
#define GB_OWN_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** Defines `own_NAME(TYPE *)` for use with auto_own(NAME): calls FN on a set value. */
#define OWN_DEFINE(name, type, none, fn)                 \
	static inline void own_##name(type *p)           \
	{                                                \
		if (*p != (none))                        \
			fn(*p);                          \
	}

/** Attribute: run `own_NAME(&variable)` at the end of the scope. */
#define auto_own(name) __attribute__((cleanup(own_##name)))

static inline void own_free(void *p)
{
	free(*(void **)p);
}

OWN_DEFINE(fd, int, -1, (void)close)
OWN_DEFINE(dir, DIR *, NULL, (void)closedir)
OWN_DEFINE(file, FILE *, NULL, (void)fclose)

/** `auto_fd fd = -1;`: closed at scope end unless -1. */
#define auto_fd auto_own(fd) int
/** `auto_free T *p = NULL;`: freed at scope end. */
#define auto_free auto_own(free)
/** `auto_dir DIR`-typed pointer: closedir at scope end. */
#define auto_dir auto_own(dir) DIR *
/** `auto_file`: fclose at scope end; use only where the result of fclose does not matter. */
#define auto_file auto_own(file) FILE *

/** Hands the descriptor on: returns it and leaves -1 behind. */
static inline int move_fd(int *fd)
{
	int moved = *fd;

	*fd = -1;
	return moved;
}

/** Hands a pointer on: yields it and leaves NULL behind. */
#define move_ptr(p)                       \
	({                                \
		__typeof__(p) moved_ = (p); \
		(p) = NULL;               \
		moved_;                   \
	})

/** Number of elements of a true array. */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
