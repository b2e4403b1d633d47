# SPDX-License-Identifier: BSD-2-Clause
# make deps demo | make deps check | make install.  V=1 shows commands, BUILD=DIR builds elsewhere,
# SANITIZE=address,undefined builds with sanitizers, PROFILE= once and not twice. CC, CFLAGS, CPPFLAGS and LDFLAGS come last and win.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
PKG_CONFIG ?= pkg-config
VERSION := $(shell cat VERSION)
Q := $(if $(V),,@)

# Asked of pkg-config once, when the first file is compiled: in `make deps demo` that is after the packages came.
once = $(eval $(1) := $(2))$($(1))
LIBRARY_CFLAGS = $(call once,LIBRARY_CFLAGS,$(shell $(PKG_CONFIG) --cflags $(LIBRARIES) $(KAFKA)))
LDLIBS = $(call once,LDLIBS,$(shell $(PKG_CONFIG) --libs $(LIBRARIES)))
# --kafka, if librdkafka is here: loaded when it is asked for, not linked; make KAFKA= leaves it out
KAFKA = $(call once,KAFKA,$(shell $(PKG_CONFIG) --exists rdkafka && echo rdkafka))
LIBRARIES = libpcap jansson zlib libzstd libcrypto libpsl libseccomp libcap-ng libndpi
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wstrict-prototypes $(if $(CI),-Werror)
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
# Where the compiler has them: against jumps and returns to other places than meant, and stacks that grow past their guard.
CONTROL = $(call once,CONTROL,$(shell for flag in -fcf-protection -fstack-clash-protection; do \
	$(CC) -Werror $$flag -x c -c -o /dev/null /dev/null 2>/dev/null && echo $$flag; done))
SANITIZERS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# nDPI moved the members of ndpi_protocol between snapshots of one version number: a compile test tells.
NDPI_NESTED = $(call once,NDPI_NESTED,$(shell printf '\043include <ndpi/ndpi_api.h>\nndpi_protocol p; int f(void) { return p.proto.app_protocol; }' | \
	$(CC) $$($(PKG_CONFIG) --cflags libndpi) -x c -fsyntax-only - 2>/dev/null && echo -DMXTAP_NDPI_NESTED))
# The program is optimised as a whole (6 % less CPU); fat objects link into the tests as they are, in half the time.
LTO = $(call once,LTO,$(if $(SANITIZE),,$(shell $(CC) --version 2>/dev/null | grep -q 'Free Software' && echo -flto=auto -ffat-lto-objects)))
# ... and by what it does with mail (10 % less): built with counters first, it reads a little of what make bench reads. Once for a folder:
# functions that change later are compiled without counts until make clean. gcc's; not where flags count or trace by themselves, nor for a first look.
PROFILE ?= $(if $(SANITIZE)$(filter demo,$(MAKECMDGOALS)),,yes)
# for makes below this one, if it was not told itself
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$$(nproc))
COUNTS := -g0 -fprofile-generate -fprofile-update=prefer-atomic
COUNTED = $(if $(wildcard $(BUILD)/src/main.gcda),-fprofile-use -fprofile-correction -Wno-missing-profile -Wno-coverage-mismatch)
ALL_CPPFLAGS = -Iinclude -D_GNU_SOURCE -DMXTAP_VERSION='"$(VERSION)"' $(NDPI_NESTED) \
	$(if $(KAFKA),-DMXTAP_KAFKA) $(CPPFLAGS)
ALL_CFLAGS = -std=gnu11 -O2 -g $(WARNINGS) $(HARDENING) $(CONTROL) $(SANITIZERS) -MMD -MP \
	$(LIBRARY_CFLAGS) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now $(SANITIZERS) $(LDFLAGS)

PROGRAM := $(BUILD)/mxtap
SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
PARTS := $(filter-out $(BUILD)/src/main.o,$(OBJECTS))
UNITS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard test/unit/test_*.c)))
MANUALS := $(wildcard man/*.1 man/*.5)

ifneq ($(filter deps deps-live,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
.PHONY: all bench bench-live check soak soak-live check-live deps-live update install uninstall dist clean deps demo lint
all: $(PROGRAM)

$(PROGRAM): $(OBJECTS)
	@echo '  LD $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(LTO) $(COUNTED) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: %.c $(if $(PROFILE),$(BUILD)/counted)
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LTO) $(COUNTED) -c -o $@ $<

$(BUILD)/counted: $(if $(PROFILE),$(BUILD)/bench/generate)
	@+test -z '$(LTO)' || test/bench/count $(BUILD) $(BUILD)/bench/generate \
	  $(MAKE) $(JOBS) --no-print-directory BUILD=$(BUILD) PROFILE= LTO=-flto=auto \
	  CFLAGS='$(CFLAGS) $(COUNTS)' LDFLAGS='$(LDFLAGS) $(COUNTS)' $(PROGRAM)
	@touch $@

$(BUILD)/parts.a: $(PARTS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/test/unit/%: test/unit/%.c $(BUILD)/parts.a
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) $(ALL_CPPFLAGS) -Itest $(ALL_CFLAGS) -fno-lto $(ALL_LDFLAGS) -o $@ $< $(BUILD)/parts.a $(LDLIBS)

include test/fuzz/rules.mk
include test/analyze/rules.mk

units: $(UNITS)

# asked in the recipe, for the reason above: whether there is librdkafka
$(BUILD)/test/siem/%: test/siem/%.c
	@mkdir -p $(@D)
	@$(if $(KAFKA),echo '  CC $<')
	$(Q)$(if $(KAFKA),$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(shell $(PKG_CONFIG) --libs rdkafka))

check:
	@+$(MAKE) $(JOBS) --no-print-directory all $(UNITS) $(REPLAYS) $(BUILD)/test/siem/kafka_broker
	@BUILD=$(BUILD) test/run

check-live: all
	@BUILD=$(BUILD) test/live/run

soak-live: all
	@BUILD=$(BUILD) SOAK=$(or $(TIME),1800) test/live/run soak

soak: all
	@BUILD=$(BUILD) $(or $(PYTHON),python3) test/metamorphic.py $(or $(N),100000) $(or $(SEED),$(shell date +%s))

$(BUILD)/bench/%: test/bench/%.c
	@mkdir -p $(@D)
	@echo '  CC $<'
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(LDLIBS)

bench: all $(BUILD)/bench/generate $(BUILD)/bench/null
	@BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 python3 test/bench/run.py $(BENCH)

bench-live: all $(BUILD)/bench/generate $(BUILD)/bench/watch $(BUILD)/bench/burst
	@BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 python3 test/bench/live.py $(BENCH)

update: all
	@BUILD=$(BUILD) test/run --update $(NAME)

deps:
	@./deps build check

deps-live:
	@./deps net live

demo: all
	@BUILD=$(BUILD) test/demo

install: all
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(BINDIR)/mxtap
	for page in $(MANUALS); do \
	  install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done
	install -D -m 644 man/mxtap-events.schema.json $(DESTDIR)$(PREFIX)/share/mxtap/mxtap-events.schema.json
	sed 's,@BINDIR@,$(BINDIR),' contrib/systemd/mxtap.service >$(BUILD)/mxtap.service
	install -D -m 644 $(BUILD)/mxtap.service $(DESTDIR)$(PREFIX)/lib/systemd/system/mxtap.service
	install -D -m 644 contrib/systemd/mxtap.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/mxtap.conf
	install -D -m 644 contrib/logrotate/mxtap $(DESTDIR)$(SYSCONFDIR)/logrotate.d/mxtap
	cp -R contrib $(DESTDIR)$(PREFIX)/share/mxtap/
	rm $(DESTDIR)$(PREFIX)/share/mxtap/contrib/systemd/mxtap.*

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/mxtap
	for page in $(MANUALS); do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	rm -rf $(DESTDIR)$(PREFIX)/share/mxtap
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/mxtap.service \
	  $(DESTDIR)$(PREFIX)/lib/sysusers.d/mxtap.conf $(DESTDIR)$(SYSCONFDIR)/logrotate.d/mxtap

dist:
	git archive --prefix=mxtap-$(VERSION)/ -o mxtap-$(VERSION).tar.gz HEAD

clean:
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(UNITS:=.d)
