/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/log.h"

#include <inttypes.h>
#include <string.h>

static void add_tail(struct step_log *log, const char *data, size_t n)
{
	if (log->tail == NULL)
		log->tail = malloc(LOG_TAIL_MAX);
	if (log->tail == NULL) {
		log->failed = true;
		return;
	}
	while (n > 0) {
		size_t at = (size_t)(log->past % LOG_TAIL_MAX);
		size_t part = LOG_TAIL_MAX - at < n ? LOG_TAIL_MAX - at : n;

		memcpy(log->tail + at, data, part);
		log->past += part;
		data += part;
		n -= part;
	}
}

void step_log_output(void *arg, int stream, const char *data, size_t n)
{
	struct step_log *log = arg;
	size_t room = LOG_HEAD_MAX - log->head.len;
	size_t part = n < room ? n : room;

	(void)stream;
	buf_add(&log->head, data, part);
	if (log->head.failed)
		log->failed = true;
	else if (part < n)
		add_tail(log, data + part, n - part);
}

/** Appends the ring from its oldest byte on. */
static void text_tail(const struct step_log *log, struct buf *out)
{
	size_t at = (size_t)(log->past % LOG_TAIL_MAX);

	if (log->past > LOG_TAIL_MAX) {
		buf_addf(out, "\n[glovebox: %" PRIu64 " bytes of output left out here]\n", log->past - LOG_TAIL_MAX);
		buf_add(out, log->tail + at, LOG_TAIL_MAX - at);
	}
	buf_add(out, log->tail, at == 0 && log->past == LOG_TAIL_MAX ? LOG_TAIL_MAX : at);
}

int step_log_text(const struct step_log *log, struct buf *out, struct err *err)
{
	buf_add(out, log->head.data, log->head.len);
	if (log->tail != NULL)
		text_tail(log, out);
	if (log->failed)
		buf_adds(out, "\n[glovebox: memory was short, the rest of the output was not kept]\n");
	return buf_check(out, "write a log", err);
}

uint64_t step_log_size(const struct step_log *log)
{
	return log->head.len + log->past;
}

void step_log_clear(struct step_log *log)
{
	buf_free(&log->head);
	free(log->tail);
	*log = (struct step_log){0};
}
