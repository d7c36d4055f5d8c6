/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/builtin.h"

#include <string.h>

const struct profile_builtin *profile_builtin_at(size_t i)
{
	return i < profile_builtin_count ? &profile_builtin_table[i] : NULL;
}

const struct profile_builtin *profile_builtin(const char *name)
{
	for (size_t i = 0; i < profile_builtin_count; i++)
		if (strcmp(profile_builtin_table[i].name, name) == 0)
			return &profile_builtin_table[i];
	return NULL;
}

const struct profile_builtin *profile_floor(void)
{
	return &profile_builtin_floor;
}
