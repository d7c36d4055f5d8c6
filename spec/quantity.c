/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and sizes as people write them. */
#include <inttypes.h>

#include "base/own.h"
#include "spec/schema.h"

void schema_quantity(struct buf *out, enum schema_type type, int64_t v)
{
	static const struct {
		enum schema_type type;
		const char *unit;
		int64_t factor;
	} units[] = {
		{ SCHEMA_DURATION, "h", 3600000 }, { SCHEMA_DURATION, "m", 60000 }, { SCHEMA_DURATION, "s", 1000 },
		{ SCHEMA_DURATION, "ms", 1 },
		{ SCHEMA_SIZE, "Ti", 1ll << 40 }, { SCHEMA_SIZE, "Gi", 1 << 30 }, { SCHEMA_SIZE, "Mi", 1 << 20 },
		{ SCHEMA_SIZE, "Ki", 1 << 10 }, { SCHEMA_SIZE, "", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].type == type && v % units[i].factor == 0) {
			buf_addf(out, "%" PRId64 "%s", v / units[i].factor, units[i].unit);
			return;
		}
	buf_addf(out, "%" PRId64, v);
}

void schema_range(struct buf *out, const struct schema_row *row)
{
	if (row->or_zero)
		buf_adds(out, "0, or ");
	schema_quantity(out, row->type, row->min);
	buf_adds(out, " to ");
	schema_quantity(out, row->type, row->max);
}
