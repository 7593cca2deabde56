/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - runs the statements of stdin, then a generated load whose sums
 * are also kept by hand.
 */
#include "db.h"

#include <stdio.h>
#include <string.h>

enum { BATCHES = 100 };

static uint32_t state = 1;

static int pick(int n)
{
    state = state * 69069u + 12345u;
    return (int)((state >> 10) % (uint32_t)n);
}

static void generated(void)
{
    static const char *const words[] = { "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath" };
    char sql[256];
    long total = 0, big = 0, per[8] = { 0 };

    dbExecute("create load (id int, word text, qty int)");
    dbExecute("create names (word text, rank int)");
    dbQuiet = true;
    for (int i = 0; i < 8; i++) {
        snprintf(sql, sizeof sql, "insert names ('%s', %d)", words[i], i);
        dbExecute(sql);
    }
    for (int i = 0; i < BATCHES; i++) {
        int len = snprintf(sql, sizeof sql, "insert load ");
        for (int k = 0; k < 8; k++) {
            int w = pick(8), qty = pick(1000);
            len += snprintf(sql + len, sizeof sql - (size_t)len, "%s(%d, '%s', %d)", k ? ", " : "",
                            i * 8 + k, words[w], qty);
            total += qty;
            big += qty >= 500;
            per[w] += qty;
        }
        dbExecute(sql);
    }
    dbQuiet = false;
    dbExecute("index names word");
    printf("by hand: %d %ld %ld\n", BATCHES * 8, total, big);
    dbExecute("select count(*), sum(qty) from load");
    dbExecute("select count(id) from load where qty >= 500");
    printf("by hand:");
    for (int i = 0; i < 8; i++)
        printf(" %ld", per[i]);
    printf("\n");
    dbExecute("select rank, load.word, sum(qty), min(qty), max(qty), avg(qty) from load "
              "join names on names.word = load.word group by load.word order by rank");
    dbExecute("select a.id, b.id, a.qty from load as a join load as b on a.qty = b.qty and a.id < b.id order by a.id limit 4");
    for (int i = 0; i < 3; i++) {
        snprintf(sql, sizeof sql, "update load set qty = qty + %d where word like '%%%c%%' and id %% 7 = %d",
                 100 * (i + 1), "aed"[i], i);
        dbExecute(sql);
    }
    dbExecute("select sum(qty), count(*) from load");
}

int main(void)
{
    char line[512];
    long strings, used, shared;

    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (!line[0] || line[0] == '#')
            continue;
        dbExecute(line);
    }
    generated();
    strStatistics(&strings, &used, &shared);
    printf("pool: %ld strings, %ld bytes, %ld shared; scratch peak below 64K: %s\n", strings, used, shared,
           scratchPeak() < 65536 ? "yes" : "no");
    tableDropAll();
    strFreeAll();
    return 0;
}
