/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/** Formats into @p out; "" when the format itself fails. */
__attribute__((format(printf, 2, 0)))
static void format(char out[ERR_MSG_MAX], const char *fmt, va_list ap)
{
	if (vsnprintf(out, ERR_MSG_MAX, fmt, ap) < 0)
		out[0] = '\0';
}

/** Appends ": TEXT" as far as it fits. */
static void append(char out[ERR_MSG_MAX], const char *text)
{
	strncat(out, ": ", ERR_MSG_MAX - 1 - strlen(out));
	strncat(out, text, ERR_MSG_MAX - 1 - strlen(out));
}

/* Both build the message aside: the arguments may point into the old one. */

void err_fill(struct err *err, enum err_kind kind, int sys, const char *fmt, ...)
{
	char msg[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	format(msg, fmt, ap);
	va_end(ap);
	if (sys != 0) {
		char why[128];

		append(msg, strerror_r(sys, why, sizeof why));
	}
	err->kind = kind;
	err->sys = sys;
	err->cause = 0;
	strcpy(err->msg, msg);
}

void err_prefix(struct err *err, const char *fmt, ...)
{
	char msg[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	format(msg, fmt, ap);
	va_end(ap);
	append(msg, err->msg);
	strcpy(err->msg, msg);
}
