/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file terminal.h
 * The caller's terminal while bytes are passed between it and another: raw, and as it was again on every end. Private to cli/.
 */
#ifndef GB_CLI_TERMINAL_H
#define GB_CLI_TERMINAL_H

#include "base/base.h"

/** An eventfd that is readable whenever a terminal's size has changed (SIGWINCH). -1 with @p err. */
int terminal_catch_resize(struct err *err);

/** Makes the terminal that @p fd is raw. A process apart sees to it that it is as before also when this one is killed. Once. */
int terminal_raw(int fd, struct err *err);

/** As before. Nothing when it is not raw. Safe in a signal's handler. */
void terminal_restore(void);

/** The end of the process apart, after terminal_restore(). */
void terminal_end(void);

#endif
