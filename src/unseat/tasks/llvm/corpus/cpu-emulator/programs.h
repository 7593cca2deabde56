/* SPDX-License-Identifier: Apache-2.0
 * programs.h - guest programs in assembly language. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stddef.h>

typedef struct {
    const char *name, *input, *expected, *source;
} program;

extern const program programs[];
extern const int program_count;

#endif
