/* SPDX-License-Identifier: BSD-2-Clause */
/* The one allocation point of the program; libraries that take an allocator are pointed here as well. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

#ifndef MADV_COLLAPSE /* Linux 6.1; others say that it is invalid */
#define MADV_COLLAPSE 25
#endif

static _Thread_local uint64_t countdown;

static int refuse(void)
{
    return countdown && --countdown == 0;
}

void memory_fail_at(uint64_t n)
{
    countdown = n;
}

void memory_begin(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 131072); /* as it is at first; set, it stays */
#endif
}

void *memory_new(size_t size)
{
    return refuse() ? NULL : calloc(1, size ? size : 1);
}

void *memory_new_array(size_t count, size_t size)
{
    return refuse() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *memory_new_pages(size_t size)
{
    const size_t page = 4096;
    return refuse() ? NULL : aligned_alloc(page, (size + page - 1) / page * page);
}

void *memory_new_large(void)
{
    void *block = refuse() ? NULL : aligned_alloc(MEMORY_HUGE, MEMORY_HUGE);
    if (block)
        madvise(block, MEMORY_HUGE, MADV_NOHUGEPAGE);
    return block;
}

void memory_make_huge(void *block)
{
    madvise(block, MEMORY_HUGE, MADV_HUGEPAGE);
    madvise(block, MEMORY_HUGE, MADV_COLLAPSE);
}

void *memory_resize(void *block, size_t size)
{
    return refuse() ? NULL : realloc(block, size ? size : 1);
}

void memory_free(void *block)
{
    free(block);
}

void memory_wipe(void *block, size_t size)
{
    explicit_bzero(block, size);
}
