/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file array.h
 * Arrays that grow by one element at a time.
 */
#ifndef GB_ARRAY_H
#define GB_ARRAY_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** Elements that an array has room for once it has any. */
#define ARRAY_FIRST 64

/** array_room() without the types. */
static inline bool array_grow(void *at, size_t n, size_t *cap, size_t size)
{
	void *old;

	if (n < *cap)
		return true;
	/* Whatever it points to, it is a pointer; but no void *, to the compiler. */
	memcpy(&old, at, sizeof old);
	size_t more = *cap == 0 ? ARRAY_FIRST : *cap * 2;
	void *grown = reallocarray(old, more, size);
	if (grown == NULL)
		return false;
	memcpy(at, &grown, sizeof grown);
	*cap = more;
	return true;
}

/** Makes sure that `*array`, of @p n elements in room for `*cap`, has room for one more; it may move. NULL and 0 begin one. @return false, and
 *  nothing is changed: memory is short. */
#define array_room(array, n, cap) array_grow((array), (n), (cap), sizeof **(array))

#endif
