/* SPDX-License-Identifier: Apache-2.0 */
/* Which characters a spec may hold. A spec is reviewed by people and hashed into
 * provenance: what it looks like must be what it says. */
#include <string.h>

#include "base/text.h"
#include "spec/yaml.h"

/** The code point of the valid sequence of @p len bytes at @p s. */
static unsigned long code_point(const char *s, size_t len)
{
	static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	unsigned long c = (unsigned char)s[0] & first_bits[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return c;
}

/** Why a character may not stand in a spec; NULL when it may. */
static const char *refusal(unsigned long c)
{
	if (c == 0)
		return "a NUL byte: a spec is plain UTF-8 text";
	if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
		return "a control character; remove it, or write it as an escape in double quotes";
	if (c >= 0x7f && c < 0xa0 && c != 0x85)
		return "a control character; remove it, or write it as an escape in double quotes";
	if (c == 0x85 || c == 0x2028 || c == 0x2029)
		return "a line break that most editors do not show; write a plain line feed";
	if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f)
		return "a character that changes the direction of the text, so that it does not look like what it says; remove it";
	if (c == 0xfeff)
		return "an invisible byte order mark inside the text; remove it";
	if (c == 0xfffe || c == 0xffff)
		return "not a Unicode character; remove it";
	return NULL;
}

int charset_check(const char *file, const char *text, size_t n, struct err *err)
{
	struct spec_pos pos = { 1, 1 };

	for (size_t i = 0, len; i < n; i += len) {
		len = text_utf8_len(text + i, n - i);
		if (len == 0)
			return yaml_error(file, pos, err,
					  "byte 0x%02x is not valid UTF-8; save the file as UTF-8", (unsigned char)text[i]);
		unsigned long c = code_point(text + i, len);
		const char *why = refusal(c);
		if (why != NULL)
			return yaml_error(file, pos, err, "U+%04lX is %s", c, why);
		/* CR LF is one break, counted at its LF. */
		if (c == '\n' || (c == '\r' && (i + 1 == n || text[i + 1] != '\n'))) {
			pos.line++;
			pos.col = 1;
		} else {
			pos.col++;
		}
	}
	return 0;
}
