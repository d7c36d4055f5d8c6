/* SPDX-License-Identifier: Apache-2.0 */
/* An overlay's layers as options of mount(2), for kernels before 6.8 (parent's side). */
#include "sandbox/plan.h"

#include <errno.h>
#include <string.h>

/** Appends the path as the child's mount namespace shows it from its working directory, the base,
 *  with what separates options and layers escaped by a backslash (overlayfs.rst). */
static void add_layer(struct buf *out, const struct plan *plan, const struct place *at)
{
	const char *parts[2] = { "", at->path };

	if (at->where == PLACE_ROOTFS)
		parts[0] = plan->rootfs;
	else if (at->where == PLACE_SKELETON)
		parts[0] = plan->mountpoint;
	else if (at->where == PLACE_TREES)
		parts[0] = "/trees";
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		for (const char *p = parts[i]; *p != '\0'; p++) {
			if (strchr(":,\\", *p) != NULL)
				buf_addc(out, '\\');
			buf_addc(out, *p);
		}
		if (i == 0 && *parts[0] != '\0')
			buf_addc(out, '/');
	}
}

int overlay_options(struct plan_box *box, struct overlay *o, struct err *err)
{
	auto_buf text = { 0 };

	buf_adds(&text, "lowerdir=");
	for (size_t i = 0; i < o->nlowers; i++) {
		if (i != 0)
			buf_addc(&text, ':');
		add_layer(&text, &box->plan, &o->lowers[i]);
	}
	if (o->upper.path != NULL) {
		buf_adds(&text, ",upperdir=");
		add_layer(&text, &box->plan, &o->upper);
		buf_adds(&text, ",workdir=");
		add_layer(&text, &box->plan, &o->work);
		buf_adds(&text, ",volatile");
	}
	buf_adds(&text, ",userxattr,index=off,xino=off");
	if (buf_check(&text, "overlay options", err) != 0)
		return -1;
	o->options = plan_str(box, "%s", text.data);
	return o->options == NULL ? plan_no_memory(err) : 0;
}
