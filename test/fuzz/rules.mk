# SPDX-License-Identifier: BSD-2-Clause
# The fuzz targets. make check replays the committed inputs with whatever compiler there is;
# make fuzz TIME=60 NAME=... builds them with clang's libFuzzer and runs each for so many seconds.
TIME ?= 60
CLANG ?= clang
FUZZERS := $(patsubst test/fuzz/%.c,%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
REPLAYS := $(FUZZERS:%=$(BUILD)/test/fuzz/%)

$(BUILD)/test/fuzz/%.o: ALL_CPPFLAGS += -Itest/fuzz

$(REPLAYS): %: %.o $(BUILD)/test/fuzz/replay.o $(BUILD)/parts.a
	@echo '  LD $@'
	$(Q)$(CC) $(ALL_CFLAGS) -fno-lto $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

# Built in a folder of its own by a make of its own: other compiler, other flags.
.PHONY: fuzz fuzz-programs
fuzz-programs:
	@+$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=$(CLANG) \
	  SANITIZE=address,undefined,fuzzer-no-link FUZZING=1 $(FUZZERS:%=$(BUILD)/fuzz/test/fuzz/%.fuzz)

fuzz: fuzz-programs
	@test/fuzz/run $(BUILD)/fuzz/test/fuzz $(TIME) $(NAME)

%.fuzz: %.o $(BUILD)/parts.a
	@echo '  LD $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

# The committed inputs anew, with what make fuzz has found.
.PHONY: fuzz-merge
fuzz-merge: fuzz-programs
	@test/fuzz/merge $(BUILD)/fuzz/test/fuzz $(NAME)

# The same by AFL++: make fuzz-afl TIME=60 NAME=fuzz_smtp.
.PHONY: fuzz-afl
fuzz-afl:
	@+$(MAKE) --no-print-directory BUILD=$(BUILD)/afl CC=afl-clang-fast SANITIZE=address,undefined \
	  $(patsubst %,$(BUILD)/afl/test/fuzz/%.afl,$(or $(NAME),$(FUZZERS)))
	@test/fuzz/run $(BUILD)/afl/test/fuzz $(TIME) $(or $(NAME),$(FUZZERS))

%.afl: %.o $(BUILD)/test/fuzz/afl.o $(BUILD)/parts.a
	@echo '  LD $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

-include $(REPLAYS:=.d) $(BUILD)/test/fuzz/replay.d

# Lines reached by the tests, for each folder: clang's coverage, in a folder of its own as well, and
# without the sandbox, which would not let the counts be written.
PROFILES := $(abspath $(BUILD))/coverage/profiles/%2m.profraw
.PHONY: coverage replays
replays: $(REPLAYS)
coverage:
	@+$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage PROFILE= CC=$(CLANG) CPPFLAGS=-DSANITIZED=1 \
	  CFLAGS='-O1 -fprofile-instr-generate=$(PROFILES) -fcoverage-mapping' \
	  LDFLAGS=-fprofile-instr-generate all units replays
	@BUILD=$(BUILD)/coverage test/coverage $(SHOW)
