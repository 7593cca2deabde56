/* SPDX-License-Identifier: Apache-2.0
 * dispatch.h - group control: which car answers which hall call. */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "building.h"

typedef struct dispatcher dispatcher;

struct dispatcher {
    const char *name;
    int (*pick)(dispatcher *self, building *b, int floor, direction d);
    void (*idle)(dispatcher *self, building *b); /* may be NULL */
    int cursor;
};

int dispatcher_count(void);
void dispatcher_get(int index, dispatcher *out);
void dispatcher_run(dispatcher *d, building *b);

#endif
