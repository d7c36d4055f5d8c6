/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/pem.h"

#include <string.h>

#include "attest/base64.h"

#define PEM_LINE 64
#define DASHES "-----"
#define BEGIN DASHES "BEGIN "
#define END DASHES "END "

/** Text not yet read. */
struct cursor {
	const char *p, *end;
};

void pem_clear(struct pem *pem)
{
	buf_wipe(&pem->der);
}

static struct cursor trimmed(const char *text, size_t n)
{
	static const char space[] = " \t\r\n";
	struct cursor c = { text, text + n };

	while (c.p < c.end && memchr(space, *c.p, 4) != NULL)
		c.p++;
	while (c.end > c.p && memchr(space, c.end[-1], 4) != NULL)
		c.end--;
	return c;
}

/** Takes a line without its LF or CRLF. */
static struct cursor next_line(struct cursor *c)
{
	const char *lf = memchr(c->p, '\n', (size_t)(c->end - c->p));
	struct cursor line = { c->p, lf == NULL ? c->end : lf };

	c->p = lf == NULL ? c->end : lf + 1;
	if (lf != NULL && line.end > line.p && line.end[-1] == '\r')
		line.end--;
	return line;
}

/** Whether the line is @p start, a label, and five dashes; gives the label. */
static bool is_boundary(struct cursor line, const char *start, char label[PEM_LABEL_MAX + 1])
{
	size_t len = (size_t)(line.end - line.p), first = strlen(start), last = strlen(DASHES);

	if (len <= first + last || len > first + PEM_LABEL_MAX + last ||
	    memcmp(line.p, start, first) != 0 || memcmp(line.end - last, DASHES, last) != 0)
		return false;
	len -= first + last;
	for (size_t i = 0; i < len; i++)
		if ((line.p[first + i] < 'A' || line.p[first + i] > 'Z') && line.p[first + i] != ' ' &&
		    (line.p[first + i] < '0' || line.p[first + i] > '9'))
			return false;
	memcpy(label, line.p + first, len);
	label[len] = '\0';
	return true;
}

/** Gathers the base64 lines and the closing boundary of the block @p label. */
static int read_body(struct cursor *c, const char *label, const char *what, struct buf *text, struct err *err)
{
	char closing[PEM_LABEL_MAX + 1];
	size_t last = PEM_LINE;

	while (c->p < c->end) {
		struct cursor line = next_line(c);
		size_t len = (size_t)(line.end - line.p);

		if (is_boundary(line, END, closing) && strcmp(closing, label) == 0)
			return 0;
		if (memmem(line.p, len, "ENCRYPTED", 9) != NULL)
			return err_set(err, ERR_USAGE, 0, "%s: the key is encrypted in an old way; "
				       "'openssl pkcs8 -topk8 -scrypt -in OLD -out NEW' rewrites it", what);
		if (len == 0 || len > PEM_LINE || last != PEM_LINE)
			return err_set(err, ERR_USAGE, 0, "%s: not strict PEM (RFC 7468): every line but the last must "
				       "have %d characters", what, PEM_LINE);
		buf_add(text, line.p, len);
		last = len;
	}
	return err_set(err, ERR_USAGE, 0, "%s: the line '-----END %s-----' is missing", what, label);
}

void pem_label(const char *text, size_t n, char label[PEM_LABEL_MAX + 1])
{
	struct cursor c = trimmed(text, n);

	if (!is_boundary(next_line(&c), BEGIN, label))
		label[0] = '\0';
}

int pem_read(const char *text, size_t n, const char *what, struct pem *ret, struct err *err)
{
	struct cursor c = trimmed(text, n);
	auto_secret body = {0};
	auto_pem pem = {0};

	if (!is_boundary(next_line(&c), BEGIN, pem.label))
		return err_set(err, ERR_USAGE, 0, "%s: not a PEM file: it must start with '-----BEGIN …-----'", what);
	/* One allocation: growing would leave copies of a secret behind. */
	buf_room(&body, n);
	if (read_body(&c, pem.label, what, &body, err) < 0)
		return -1;
	if (c.p != c.end)
		return err_set(err, ERR_USAGE, 0, "%s: something follows the line '-----END %s-----'; a key file holds "
			       "one key and nothing else", what, pem.label);
	if (buf_check(&body, what, err) < 0)
		return -1;
	if (!base64_decode(body.data, body.len, &pem.der)) {
		if (buf_check(&pem.der, what, err) < 0)
			return -1;
		return err_set(err, ERR_USAGE, 0, "%s: the lines between BEGIN and END are not base64 (RFC 4648)", what);
	}
	*ret = pem;
	pem.der = (struct buf){0};
	return 0;
}

void pem_write(const char *label, const void *der, size_t n, struct buf *out)
{
	/* 48 bytes make a line of 64 characters; 64 covers the boundaries besides the labels. */
	size_t lines = n / 48 + 1;

	buf_room(out, lines * (PEM_LINE + 1) + 2 * strlen(label) + 64);
	buf_addf(out, BEGIN "%s" DASHES "\n", label);
	for (size_t i = 0; i < n; i += 48) {
		base64_encode((const char *)der + i, n - i < 48 ? n - i : 48, out);
		buf_addc(out, '\n');
	}
	buf_addf(out, END "%s" DASHES "\n", label);
}
