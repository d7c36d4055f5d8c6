/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static const struct command *const verbs[] = { &cmd_image_pack, &cmd_image_inspect, NULL };

/** Of the design, for later. */
static const char *const later[] = { "push", "pull", NULL };

const struct command cmd_image = {
	.name = "image", .synopsis = "pack DIR --output FILE | inspect IMAGE", .summary = "make an image of a directory, look into one",
	.verbs = verbs, .later_verbs = later,
};
