# SPDX-License-Identifier: BSD-2-Clause
# What takes longer than make check may, and the programs of ./deps analyze.
.PHONY: analyze valgrind check-long

# Static analysis: TOOLS='gcc tidy cppcheck scan', and files
analyze:
	@$(or $(PYTHON),python3) test/analyze/run $(TOOLS)

valgrind: all
	@BUILD=$(BUILD) test/analyze/valgrind

# All limits, and floods that fill what is bounded in bytes
check-long: all
	@BUILD=$(BUILD) test/run limits-all memory-all
