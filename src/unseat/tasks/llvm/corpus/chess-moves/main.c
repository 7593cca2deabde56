// SPDX-License-Identifier: Apache-2.0
// main.c - perft against published counts, key consistency, notation, and
// a few searches with forced results.
#include "chess.h"

#include <stdio.h>
#include <string.h>

static Board board;

static const char START[] = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1";

static bool load(const char *fen)
{
    const char *err = board_parse(&board, fen);
    if (err)
        printf("  rejected (%s): %s\n", err, fen);
    return !err;
}

static int run_perft(void)
{
    static const struct {
        const char *fen;
        long counts[6];
    } suite[] = {
        { START, { 20, 400, 8902, 197281 } },
        { "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1",
          { 48, 2039, 97862 } },
        { "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1", { 14, 191, 2812, 43238 } },
        { "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1",
          { 6, 264, 9467 } },
        { "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8", { 44, 1486, 62379 } },
        { "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10",
          { 46, 2079, 89890 } },
    };
    int bad = 0;

    puts("perft:");
    for (size_t i = 0; i < sizeof suite / sizeof suite[0]; i++) {
        char fen[96];
        if (!load(suite[i].fen))
            return 1;
        board_fen(&board, fen);
        printf("  position %zu%s:", i + 1, strcmp(fen, suite[i].fen) ? " (FEN differs)" : "");
        for (int d = 0; d < 6 && suite[i].counts[d]; d++) {
            long n = perft(&board, d + 1);
            bool ok = n == suite[i].counts[d];
            printf(" %ld%s", n, ok ? "" : "(!)");
            bad += !ok;
        }
        putchar('\n');
    }
    printf("  mismatches: %d\n", bad);
    return bad;
}

static void divide(const char *fen, int depth)
{
    Moves legal;
    char text[8];
    if (!load(fen))
        return;
    generate_legal(&board, &legal);
    printf("divide %d:", depth);
    for (int i = 0; i < legal.n; i++) {
        move_coord(legal.list[i], text);
        make(&board, legal.list[i]);
        printf(" %s=%ld", text, perft(&board, depth - 1));
        unmake(&board);
    }
    putchar('\n');
}

// The incremental key must equal the recomputed one in the whole tree.
static long verify_keys(Board *b, int depth)
{
    Moves all;
    long bad = b->key != board_key(b);
    if (depth == 0)
        return bad;
    generate(b, &all);
    for (int i = 0; i < all.n; i++) {
        Key before = b->key;
        if (!make(b, all.list[i])) {
            bad += b->key != before;
            continue;
        }
        bad += verify_keys(b, depth - 1);
        unmake(b);
        bad += b->key != before;
    }
    return bad;
}

static void play(const char *line)
{
    char word[12], san[12], fen[96];
    Move m;

    load(START);
    while (sscanf(line, "%11s", word) == 1) {
        line = strstr(line, word) + strlen(word);
        if (!move_find(&board, word, &m)) {
            printf("  illegal: %s\n", word);
            continue;
        }
        move_san(&board, m, san);
        printf(" %s", san);
        make(&board, m);
    }
    board_fen(&board, fen);
    printf("\n  -> %s\n", fen);
}

static void solve(const char *title, const char *fen, int depth)
{
    char san[12];
    if (!load(fen))
        return;
    Result r = search(&board, depth);
    if (r.best.from == r.best.to)
        strcpy(san, "-"); // no legal move
    else
        move_san(&board, r.best, san);
    printf("  %-22s %-7s", title, san);
    if (r.score > MATE - 100)
        printf(" mate in %d", (MATE - r.score + 1) / 2);
    else
        printf(" score %d", r.score);
    printf(" (%ld nodes)\n", r.nodes);
}

static void self_play(int plies, int depth)
{
    char san[12];
    load(START);
    printf("self play:");
    for (int i = 0; i < plies; i++) {
        Result r = search(&board, depth);
        move_san(&board, r.best, san);
        printf(" %s", san);
        make(&board, r.best);
    }
    printf("\n");
    board_print(&board);
}

int main(void)
{
    zobrist_init();
    int bad = run_perft();
    divide("8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1", 3);

    load("r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1");
    printf("key errors: %ld\n", verify_keys(&board, 2));

    puts("errors:");
    load("8/8/8/8/8/8/8/8 w - - 0 1");
    load("4k3/8/8/8/8/8/8/4K2X w - - 0 1");
    load("4k3/8/8/8/8/8/8/4K3 x - - 0 1");
    load("4k3/8/8/8/8/8/4R3/4K3 w - - 0 1");
    load("4k3/9/8/8/8/8/8/4K3 w - - 0 1");

    printf("line:");
    play("e4 e5 Nf3 Nc6 Bb5 a6 Bxc6 dxc6 O-O Bg4 e1g1 d4 exd4 h3");
    printf("line:");
    play("f3 e5 g4 Qh4#");

    puts("searches:");
    solve("back rank", "6k1/5ppp/8/8/8/8/5PPP/3R2K1 w - - 0 1", 2);
    solve("two rooks", "7k/8/8/8/8/1R6/R7/6K1 w - - 0 1", 4);
    solve("knight mate", "r5rk/6pp/7N/3Q4/8/8/6PP/6K1 w - - 0 1", 4);
    solve("promotion", "8/4P1k1/8/8/8/8/6K1/8 w - - 0 1", 3);
    solve("stalemate trap", "7k/5Q2/8/8/8/8/8/K7 b - - 0 1", 2);
    solve("underpromotion", "8/5P1k/8/6K1/8/8/8/8 w - - 0 1", 3);
    self_play(8, 3);
    return bad != 0;
}
