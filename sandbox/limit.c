/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/limit.h"

#include <inttypes.h>
#include <string.h>

#define MI (1ull << 20)
#define GI (1ull << 30)
#define NOWHERE ((size_t)-1)

enum unit { UNIT_COUNT, UNIT_BYTES, UNIT_MS, UNIT_MILLIS };

/** One row a limit. Memory and processor time have no default: not every host can enforce them. */
static const struct {
	const char *name;
	size_t at;          /**< of the member of struct sandbox_limits */
	uint64_t fallback;
	enum unit unit;
} rows[] = {
#define ROW(member) offsetof(struct sandbox_limits, member)
	[SANDBOX_NO_LIMIT] = { "none", NOWHERE, 0, UNIT_COUNT },
	[SANDBOX_LIMIT_TIMEOUT] = { "timeout", ROW(timeout_ms), 0, UNIT_MS },
	[SANDBOX_LIMIT_MEMORY] = { "memory", ROW(memory_bytes), 0, UNIT_BYTES },
	[SANDBOX_LIMIT_CPU] = { "cpu", ROW(cpu_millis), 0, UNIT_MILLIS },
	[SANDBOX_LIMIT_PIDS] = { "pids", ROW(pids), 4096, UNIT_COUNT },
	[SANDBOX_LIMIT_FILES] = { "files", ROW(files), 4096, UNIT_COUNT },
	[SANDBOX_LIMIT_FILE_SIZE] = { "fileSize", ROW(file_bytes), 64 * GI, UNIT_BYTES },
	[SANDBOX_LIMIT_TMP] = { "tmp", ROW(tmp_bytes), GI, UNIT_BYTES },
	[SANDBOX_LIMIT_TMP_FILES] = { "tmpFiles", ROW(tmp_inodes), 200000, UNIT_COUNT },
	[SANDBOX_LIMIT_WORK] = { "work", ROW(work_bytes), 32 * GI, UNIT_BYTES },
	[SANDBOX_LIMIT_WORK_FILES] = { "workFiles", ROW(work_files), 1000000, UNIT_COUNT },
	[SANDBOX_LIMIT_OUTPUT] = { "output", ROW(output_bytes), 4 * GI, UNIT_BYTES },
	[SANDBOX_LIMIT_DISK] = { "diskReserve", NOWHERE, GI, UNIT_BYTES },
	[SANDBOX_LIMIT_DISK_FILES] = { "diskReserveFiles", NOWHERE, 50000, UNIT_COUNT },
#undef ROW
};

uint64_t sandbox_limit_of(const struct sandbox_limits *limits, enum sandbox_limit which)
{
	uint64_t asked = rows[which].at == NOWHERE ? 0 : *(const uint64_t *)((const char *)limits + rows[which].at);

	return asked == 0 ? rows[which].fallback : asked;
}

const char *sandbox_limit_name(enum sandbox_limit limit)
{
	return rows[limit].name;
}

enum sandbox_limit sandbox_limit_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return (enum sandbox_limit)i;
	return SANDBOX_NO_LIMIT;
}

/** In the largest unit that leaves it whole. */
static void bytes(struct buf *out, uint64_t value)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	for (; i + 1 < ARRAY_LEN(units) && value != 0 && value % 1024 == 0; i++)
		value /= 1024;
	buf_addf(out, "%" PRIu64 " %s", value, units[i]);
}

void sandbox_limit_text(struct buf *out, enum sandbox_limit limit, uint64_t value)
{
	buf_addf(out, "%s=", rows[limit].name);
	switch (rows[limit].unit) {
	case UNIT_COUNT:
		buf_addf(out, "%" PRIu64, value);
		break;
	case UNIT_BYTES:
		bytes(out, value);
		break;
	case UNIT_MS:
		buf_addf(out, "%.6g s", (double)value / 1000);
		break;
	case UNIT_MILLIS:
		buf_addf(out, "%.6g", (double)value / 1000);
		break;
	}
}
