/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file base.h
 * base/: what every other folder stands on. Its one job: errors, scope-bound
 * ownership, buffers, file descriptors, hashing, JSON, whose rights this process
 * works with, and its own confinement where it parses what comes from outside.
 *
 * This is the folder's public header; it only gathers the parts, each of which
 * documents its own symbols.
 */
#ifndef GB_BASE_H
#define GB_BASE_H

/** The time of all that is made for a build: 1980-01-01 UTC, since zip archives cannot go lower. Seconds. */
#define GB_EPOCH 315532800

#include "base/apart.h"
#include "base/confine.h"
#include "base/answer.h"
#include "base/crew.h"
#include "base/err.h"
#include "base/own.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "base/ident.h"

#endif
