/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static const struct command *const verbs[] = { &cmd_image_pack, &cmd_image_inspect, &cmd_image_push, &cmd_image_pull, NULL };

const struct command cmd_image = {
	.name = "image", .synopsis = "pack DIR --output FILE | inspect IMAGE | push IMAGE REPOSITORY | pull REPOSITORY --output FILE",
	.summary = "make an image of a directory, look into one, bring one to a registry or from there", .verbs = verbs,
};
