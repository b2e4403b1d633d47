/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a fuzz target over files and folders of inputs, without libFuzzer. An abort or a sanitizer's
 * report names the input that was read last. */
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 1 << 20 };

static unsigned inputs;

static int run(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)at;
    if (kind != FTW_F || status->st_size > LARGEST)
        return 0;
    size_t size = (size_t)status->st_size;
    uint8_t *data = malloc(size ? size : 1);
    FILE *file = fopen(path, "rb");
    if (!data || !file || fread(data, 1, size, file) != size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    inputs++;
    return 0;
}

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++)
        if (nftw(paths[i], run, 8, FTW_PHYS) != 0)
            return 1;
    printf("%u inputs\n", inputs);
    return inputs ? 0 : 1;
}
