/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file console.h
 * Between the caller's terminal and that of a step: bytes both ways, and the size. They are two terminals: none of the caller's
 * descriptors is inside, and the step's is of its own devpts, so that nothing can be typed but into itself. Never
 * waits: poll(2) says when there is something to do. Private to sandbox/.
 */
#ifndef GB_SANDBOX_CONSOLE_H
#define GB_SANDBOX_CONSOLE_H

#include <poll.h>
#include <sys/ioctl.h>

#include "sandbox/sandbox.h"

/** Read at once, each way. */
#define CONSOLE_CHUNK 4096
/** What poll(2) is asked about. */
#define CONSOLE_FDS 4

/** Bytes on their way: at of len are written. */
struct console_way {
	size_t at, len;
	char data[CONSOLE_CHUNK];
};

struct console {
	const struct sandbox_terminal *conf; /**< NULL: none, and all of this does nothing */
	int master;                /**< of the step's terminal; -1 before it has come and after its end */
	bool gone;                 /**< the caller's terminal is */
	struct console_way in, out;
};

/** Size of the caller's terminal, for the step's to begin with; 24 by 80 where it has none. */
struct winsize console_size(const struct sandbox_terminal *conf);
/** Takes the step's terminal over. */
void console_begin(struct console *c, int master);
/** What poll(2) shall wait for. */
void console_wants(const struct console *c, struct pollfd fds[CONSOLE_FDS]);
/** Does what has become possible. */
void console_turn(struct console *c, const struct pollfd fds[CONSOLE_FDS]);
/** Hangs up: who has it as controlling terminal gets SIGHUP. */
void console_end(struct console *c);
/** Whether there is still something to come, or to be shown, from a step that has ended. */
bool console_holds(const struct console *c);

#endif
