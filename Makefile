# SPDX-License-Identifier: Apache-2.0
# glovebox: one non-recursive Makefile. Everything built goes below $(O).
#
#   make                 the programs: glovebox, and glovebox-engine behind it
#   make demo            install what is missing, build, run a real hermetic build, verify it, reproduce it
#   make check           install what is missing, build, run all tests        (check-long: the long ones too)
#   make static          both without shared libraries, in $(O)/static
#   make deb             a Debian package, in $(O)/deb
#   make lint bench bench-long bench-store bench-verify bench-diff bench-matrix install uninstall dist deps clean
#
#   O=DIR  SAN=address,undefined  WERROR=1  CC=clang  DESTDIR= prefix=

O       ?= build
CC      ?= cc
AR      ?= ar
PKG_CONFIG ?= pkg-config
prefix  ?= /usr/local
bindir  ?= $(prefix)/bin
mandir  ?= $(prefix)/share/man
VERSION := 0.1.0

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# The folders in their order: each includes only itself and those to its left (make lint).
FOLDERS := base spec oci attest profiles sandbox store fetch rootfs inspect runner cli

PKGS    := libseccomp libcap yaml-0.1 libcrypto libarchive jansson libdeflate libzstd expat
# libcurl is loaded when it is needed (fetch/curl.h): its headers alone are built with. Asked when first needed, and once: not for each file.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) libcurl))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS)))$(PKG_LIBS)

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith \
           -Wwrite-strings -Wformat=2 -Wno-missing-field-initializers $(if $(WERROR),-Werror)
HARDEN  := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
ifdef SAN
HARDEN  += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
LDHARDEN := -pie -fsanitize=$(SAN)
else
HARDEN  += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LDHARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DGB_VERSION='"$(VERSION)"' -I. -I$(O)/gen \
             $(PKG_CFLAGS) $(WARN) $(HARDEN) $(CFLAGS)
COMPILE  = $(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
# No build id: it is a hash that the build's directory goes into, by way of what is stripped from packages later.
BUILD_ID := -Wl,--build-id=none
# Every run hashes the program that it is: what is for debuggers alone is most of it.
DEBUG_PACKED := -Wl,--compress-debug-sections=zlib
LINK     = $(CC) $(LDHARDEN) $(BUILD_ID) $(CFLAGS) $(LDFLAGS) -o $@

# ---- objects and one archive a folder ------------------------------------
# The programs' main() and build-time tools (FOLDER/gen_*.c) are not part of the archives.
lib_srcs = $(filter-out cli/main.c cli/glovebox.c $(1)/gen_%.c,$(wildcard $(1)/*.c))
objs     = $(patsubst %.c,$(O)/%.o,$(1))
lib      = $(O)/lib$(1).a

define FOLDER_RULES
$(call lib,$(1)): $(call objs,$(call lib_srcs,$(1)))
endef
$(foreach f,$(FOLDERS),$(eval $(call FOLDER_RULES,$(f))))

$(O)/lib%.a:
	@rm -f $@
	$(AR) rcsD $@ $^

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE)

# Libraries of a folder and of all to its left, rightmost first (the order that ld wants).
$(foreach f,$(FOLDERS),$(eval SO_FAR := $(call lib,$(f)) $(SO_FAR))$(eval LIBS_UPTO_$(f) := $(SO_FAR)))
libs_upto = $(LIBS_UPTO_$(1))

# ---- generated sources ----------------------------------------------------
include profiles/rules.mk

# ---- the programs ----------------------------------------------------------
# glovebox is what users start: small and static, it does `exec` itself and becomes glovebox-engine, dynamic
# with all the libraries, for every other command (cli/glovebox.c).
PROGRAM := $(O)/glovebox
ENGINE  := $(O)/glovebox-engine

all: $(PROGRAM) $(ENGINE)

$(ENGINE): $(O)/cli/main.o $(call libs_upto,cli)
	$(LINK) $(DEBUG_PACKED) $^ $(PKG_LIBS)

# A static PIE: at this size its relocations cost nothing that can be measured (bench/README.md), and addresses stay
# random. RELRO, the stack protector and CET as everywhere. The linker warns of what a static program cannot do (name
# services, dlopen, iconv), and that is an error; so is whatever would need a library that is not named here.
# Sanitizers have no static runtime: with SAN= it is linked as the engine is.
SMALL_PKGS := libcap libcrypto jansson
ifdef SAN
LINK_SMALL  = $(LINK)
else
LINK_SMALL  = $(CC) -static-pie -Wl,-z,relro,-z,now,-z,noexecstack $(BUILD_ID) -Wl,--fatal-warnings $(CFLAGS) $(LDFLAGS) -o $@
endif

$(PROGRAM): $(O)/cli/glovebox.o $(call libs_upto,cli)
	$(LINK_SMALL) $^ $(shell $(PKG_CONFIG) --libs $(SMALL_PKGS))

# make static: the engine without shared libraries too, for who keeps a program for years. Debian has archives of them all. Of what
# libarchive can be built with, tar's codecs are named here; ACLs, XML and ICU are for other formats. libcrypto refers to dlopen and
# name services, of which the linker warns: for providers and connections, and glovebox loads none and makes none.
STATIC     := $(O)/static
STATIC_LIBS = $(shell $(PKG_CONFIG) --static --libs $(filter-out libarchive,$(PKGS))) \
              -larchive -lnettle -llzma -lzstd -llz4 -lbz2 -lz

static:
	tests/deps.sh build static
	$(MAKE) --no-print-directory $(STATIC)/glovebox $(STATIC)/glovebox-engine

$(STATIC)/glovebox: $(PROGRAM)
	install -D $< $@

$(STATIC)/glovebox-engine: $(O)/cli/main.o $(call libs_upto,cli)
	@mkdir -p $(@D)
	$(CC) -static-pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--no-warnings $(CFLAGS) $(LDFLAGS) -o $@ $^ $(STATIC_LIBS)

# ---- unit tests: tests/unit/<folder>/test_<what>.c, one program each ---------------
UNIT_SRCS := $(wildcard tests/unit/*/test_*.c)
UNIT_BINS := $(patsubst tests/unit/%.c,$(O)/unit/%,$(UNIT_SRCS))
# A hundred links: gold takes a quarter of the time of ld.bfd.
UNIT_LD    = $(eval UNIT_LD := $(if $(shell command -v ld.gold),-fuse-ld=gold))$(UNIT_LD)
UNIT_LIBS  = $(eval UNIT_LIBS := $(shell $(PKG_CONFIG) --libs cmocka))$(UNIT_LIBS)

define UNIT_RULES
$(patsubst tests/unit/%.c,$(O)/unit/%,$(1)): $(O)/$(1:.c=.o) $(call libs_upto,$(word 3,$(subst /, ,$(1))))
	@mkdir -p $$(@D)
	$$(LINK) $$(UNIT_LD) $$^ $$(UNIT_LIBS) $$(PKG_LIBS)
endef
$(foreach t,$(UNIT_SRCS),$(eval $(call UNIT_RULES,$(t))))

# make unit-FOLDER: build and run one folder's unit tests.
unit-%: FORCE
	@$(MAKE) --no-print-directory $(filter $(O)/unit/$*/%,$(UNIT_BINS))
	CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(filter $(O)/unit/$*/%,$(UNIT_BINS))

# ---- tests, lints, manual, installing ------------------------------------------------
include tests/rules.mk

# ---- benchmarks: ratios against named rivals in the same run (bench/README.md) --------
bench: all
	tests/deps.sh build bench
	bench/run.sh $(O)

# A gigabyte hashed, imported and packed.
bench-store: all
	tests/deps.sh build bench
	bench/store.sh $(O)

# The escape suite's probes under glovebox and under other sandboxes: rewrites bench/escape-matrix.md.
bench-matrix: all $(PROBE)
	tests/deps.sh build matrix
	bench/escape-matrix.sh $(O) bench/escape-matrix.md

bench-verify: all
	tests/deps.sh build bench
	bench/verify.sh $(O)

# Two images of a gigabyte that differ in one byte.
bench-diff: all
	tests/deps.sh build bench
	bench/diff.sh $(O)

# Minutes of compiling, inside and outside.
bench-long: all
	tests/deps.sh build bench-long
	bench/compile.sh $(O)

clean:
	rm -rf $(O)

FORCE:
.PHONY: all static bench bench-long bench-diff bench-store bench-verify bench-matrix clean FORCE

-include $(shell test -d $(O) && find $(O) -type f -name '*.d')
