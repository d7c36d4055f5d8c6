/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file relay.h
 * What a command writes, on its way from the pipes to the caller: to a function,
 * or to descriptors whose reader may be slow, or gone. Never waits: poll(2)
 * says when there is something to do. Private to sandbox/.
 */
#ifndef GB_SANDBOX_RELAY_H
#define GB_SANDBOX_RELAY_H

#include <poll.h>

#include "sandbox/sandbox.h"

/** What is read from the command at once: a pipe's whole capacity. */
#define RELAY_CHUNK (64u << 10)

/** What was read and not yet written on: at bytes of len are done with. */
struct relay_held {
	size_t at, len;
	char data[RELAY_CHUNK];
};

struct relay {
	const struct sandbox_conf *conf;
	int from[2];               /**< the command's stdout and stderr, non-blocking; -1 once closed */
	bool socket[2];            /**< what conf->relay is: */
	bool prompt[2];            /**< writing to it never waits */
	uint64_t left;             /**< bytes of both streams that it may still write (limit output) */
	bool over;                 /**< it has tried to write more: its pipes are closed */
	int lost;                  /**< errno of the first write that failed; 0: none */
	struct relay_held held[2];
};

/** Finds out what conf->relay is. @p r is zero-initialised. */
void relay_begin(struct relay *r, const struct sandbox_conf *conf);
/** What poll(2) shall wait for on behalf of a stream (0 or 1). */
struct pollfd relay_wants(const struct relay *r, int stream);
/** Does one piece of what relay_wants() waited for. */
void relay_turn(struct relay *r, int stream);
/** After the command's end: takes what is left in the pipes. @return whether it waits for the reader. */
bool relay_drain(struct relay *r);
/** Closes a stream's pipe. */
void relay_close(struct relay *r, int stream);

#endif
