/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file log.h
 * The log of one step: its beginning and its end, in bounded space, however
 * much the step writes. Private to runner/.
 */
#ifndef GB_RUNNER_LOG_H
#define GB_RUNNER_LOG_H

#include "base/base.h"

/** Bytes kept from the start, and from the end, of a step's output. */
#define LOG_HEAD_MAX (8u << 20)
#define LOG_TAIL_MAX (1u << 20)
/** Most bytes of a log as text: those, and lines about what is missing. */
#define LOG_TEXT_MAX (LOG_HEAD_MAX + LOG_TAIL_MAX + 1024)

struct step_log {
	struct buf head;
	char *tail;       /**< ring of LOG_TAIL_MAX bytes; made when the head is full */
	uint64_t past;    /**< bytes that came after the head */
	bool failed;      /**< memory was short: the log has a gap, and says so */
};

/** Takes output; has the form of sandbox_output_fn with a struct step_log as argument. Streams are merged in order of arrival. */
void step_log_output(void *log, int stream, const char *data, size_t n);
/** Appends the whole log to @p out, with a line in place of what was left out. */
int step_log_text(const struct step_log *log, struct buf *out, struct err *err);
/** How many bytes the step wrote in all. */
uint64_t step_log_size(const struct step_log *log);
void step_log_clear(struct step_log *log);
#define auto_step_log __attribute__((cleanup(step_log_clear))) struct step_log

#endif
