// SPDX-License-Identifier: Apache-2.0
// search.c - perft, evaluation and an alpha-beta search with quiescence.
#include "chess.h"

#include <stddef.h>

static const int value[KINDS] = { 0, 100, 320, 330, 500, 900, 0 };
static long nodes;

long perft(Board *b, int depth)
{
    Moves all;
    long sum = 0;

    if (depth == 0)
        return 1;
    generate(b, &all);
    for (int i = 0; i < all.n; i++) {
        if (!make(b, all.list[i]))
            continue;
        sum += perft(b, depth - 1);
        unmake(b);
    }
    return sum;
}

static int centrality(Sq s)
{
    int f = FILE_OF(s), r = RANK(s);
    int df = f < 4 ? f : 7 - f, dr = r < 4 ? r : 7 - r;
    return df + dr;
}

static int piece_score(Piece p, Sq s)
{
    int advance = OWNER(p) == WHITE ? RANK(s) : 7 - RANK(s);
    switch (KIND(p)) {
    case PAWN: return value[PAWN] + 4 * advance + centrality(s);
    case KNIGHT: return value[KNIGHT] + 6 * centrality(s);
    case BISHOP: return value[BISHOP] + 3 * centrality(s);
    case ROOK: return value[ROOK] + (advance == 6 ? 20 : 0);
    case QUEEN: return value[QUEEN] + centrality(s);
    case KING: return -2 * centrality(s);
    default: return 0;
    }
}

int evaluate(const Board *b)
{
    int score = 0;
    for (int s = 0; s < 128; s++) {
        if (!ON_BOARD(s) || !b->at[s])
            continue;
        int v = piece_score(b->at[s], (Sq)s);
        score += OWNER(b->at[s]) == b->side ? v : -v;
    }
    return score;
}

static int order_key(const Board *b, Move m)
{
    int k = m.promote ? value[m.promote] : 0;
    if (m.flag == EN_PASSANT)
        k += value[PAWN] * 10;
    else if (m.flag == CAPTURE)
        k += value[KIND(b->at[m.to])] * 10 - value[KIND(b->at[m.from])] / 10;
    return k;
}

static void sort_moves(const Board *b, Moves *m)
{
    int keys[MAX_MOVES];
    for (int i = 0; i < m->n; i++) {
        Move mv = m->list[i];
        int k = order_key(b, mv), j = i;
        for (; j > 0 && keys[j - 1] < k; j--) {
            keys[j] = keys[j - 1];
            m->list[j] = m->list[j - 1];
        }
        keys[j] = k;
        m->list[j] = mv;
    }
}

static int quiesce(Board *b, int alpha, int beta)
{
    Moves all;
    int stand = evaluate(b);

    nodes++;
    if (stand >= beta || b->ply >= MAX_PLY - 2)
        return stand;
    if (stand > alpha)
        alpha = stand;
    generate(b, &all);
    sort_moves(b, &all);
    for (int i = 0; i < all.n; i++) {
        Move m = all.list[i];
        if (m.flag != CAPTURE && m.flag != EN_PASSANT && !m.promote)
            continue;
        if (!make(b, m))
            continue;
        int score = -quiesce(b, -beta, -alpha);
        unmake(b);
        if (score >= beta)
            return score;
        if (score > alpha)
            alpha = score;
    }
    return alpha;
}

static bool repeated(const Board *b)
{
    for (int i = b->ply - 2; i >= 0; i -= 2)
        if (b->history[i].key == b->key)
            return true;
    return false;
}

static int alpha_beta(Board *b, int depth, int alpha, int beta, int height, Move *best)
{
    Moves all;
    int legal = 0;

    if (height > 0 && (b->halfmove >= 100 || repeated(b)))
        return 0;
    if (depth == 0)
        return quiesce(b, alpha, beta);
    nodes++;
    generate(b, &all);
    sort_moves(b, &all);
    for (int i = 0; i < all.n; i++) {
        if (!make(b, all.list[i]))
            continue;
        legal++;
        int score = -alpha_beta(b, depth - 1, -beta, -alpha, height + 1, NULL);
        unmake(b);
        if (score > alpha) {
            alpha = score;
            if (best)
                *best = all.list[i];
            if (alpha >= beta)
                return alpha;
        }
    }
    if (!legal)
        return in_check(b, b->side) ? height - MATE : 0;
    return alpha;
}

Result search(Board *b, int depth)
{
    Result r = { { 0, 0, 0, 0 }, 0, 0 };
    nodes = 0;
    r.score = alpha_beta(b, depth, -MATE - 1, MATE + 1, 0, &r.best);
    r.nodes = nodes;
    return r;
}
