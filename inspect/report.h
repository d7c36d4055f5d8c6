/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file report.h
 * The report as a whole: what was compared, whether it is the same, all differences, and the causes summed up. Private to inspect/.
 */
#ifndef GB_INSPECT_REPORT_H
#define GB_INSPECT_REPORT_H

#include "inspect/node.h"

/** Version of the report's form. */
#define REPORT_SCHEMA "glovebox.diff/1"

struct report_side {
	const char *path, *kind;
};

/** Makes the report of what was put into @p root. */
int report_make(json_t *root, const struct report_side *a, const struct report_side *b, json_t **ret, struct err *err);

#endif
