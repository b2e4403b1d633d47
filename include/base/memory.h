/* SPDX-License-Identifier: BSD-2-Clause */
/* The one place where mxtap gets memory, so that a test can let the n-th request fail. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * memory_begin comes first: from then on large blocks come from the system and go back to it. Tables
 * that double leave no holes behind, and take memory only where they are used.
 */
void memory_begin(void);

/* memory_new returns `size` zeroed bytes (new: you free with memory_free), or NULL. */
void *memory_new(size_t size) __attribute__((malloc, warn_unused_result));

/* memory_new_array is memory_new for count * size bytes; NULL also when the product overflows. */
void *memory_new_array(size_t count, size_t size) __attribute__((malloc, warn_unused_result));

/*
 * memory_new_pages returns `size` bytes (new, not zeroed) for the system to read into, or NULL. They
 * begin with a page, as what is read does: some processors copy three times slower to an address
 * that lies one to 31 bytes after the source's, modulo the size of a page, as a usual large block
 * does.
 */
void *memory_new_pages(size_t size) __attribute__((malloc, warn_unused_result));

enum { MEMORY_HUGE = 2097152 /* bytes of a huge page on most machines */ };

/*
 * memory_new_large returns MEMORY_HUGE bytes (new, not zeroed), or NULL. They take memory as they are touched. memory_make_huge puts
 * them into a huge page, if the system has one to give: what is touched in no order then costs one address translation and not five
 * hundred.
 */
void *memory_new_large(void) __attribute__((malloc, warn_unused_result));
void memory_make_huge(void *block);

/* memory_resize is realloc: on NULL the old block stays as it was. New bytes are not zeroed. */
void *memory_resize(void *block, size_t size) __attribute__((warn_unused_result));

/* memory_free frees a block; NULL is allowed. */
void memory_free(void *block);

/* memory_wipe overwrites bytes in a way that the compiler does not leave out. */
void memory_wipe(void *block, size_t size);

/* memory_fail_at lets the n-th request from now fail, once (0: none). Only tests call it. */
void memory_fail_at(uint64_t n);

#endif
