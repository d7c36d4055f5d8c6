/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file when.h
 * Which commits are published: spec.publish.when against what git says. Private to runner/.
 */
#ifndef GB_RUNNER_WHEN_H
#define GB_RUNNER_WHEN_H

#include "fetch/fetch.h"
#include "spec/spec.h"

/** What git has to be asked for: of enum fetch_git_ask; 0: any commit is published, and one that nobody knows of too. */
unsigned when_asks(const struct spec *spec);

/** Appends to @p why why the commit @p git, as when_asks() had it asked for, is not published; nothing where it is. -1: memory is short. */
int when_decide(const struct spec *spec, const struct fetch_git_facts *git, struct buf *why);

#endif
