// SPDX-License-Identifier: Apache-2.0
// moves.c - attack detection, pseudo-legal generation, make and unmake.
#include "chess.h"

#include <assert.h>
#include <string.h>

typedef struct {
    int8_t step[8];
    int8_t count;
    bool slides;
} Mobility;

static const Mobility mobility[KINDS] = {
    [KNIGHT] = { { 33, 31, 18, 14, -14, -18, -31, -33 }, 8, false },
    [BISHOP] = { { 17, 15, -15, -17 }, 4, true },
    [ROOK] = { { 16, 1, -1, -16 }, 4, true },
    [QUEEN] = { { 17, 16, 15, 1, -1, -15, -16, -17 }, 8, true },
    [KING] = { { 17, 16, 15, 1, -1, -15, -16, -17 }, 8, false },
};

static int forward(int side) { return side == WHITE ? 16 : -16; }

static bool holds(const Board *b, int s, Piece p) { return ON_BOARD(s) && b->at[s] == p; }

static bool leaper_attack(const Board *b, Sq s, int kind, int by)
{
    const Mobility *m = &mobility[kind];
    for (int i = 0; i < m->count; i++)
        if (holds(b, s + m->step[i], (Piece)(kind | by)))
            return true;
    return false;
}

static bool slider_attack(const Board *b, Sq s, int kind, int by)
{
    const Mobility *m = &mobility[kind];
    for (int i = 0; i < m->count; i++) {
        int t = s + m->step[i];
        while (ON_BOARD(t) && !b->at[t])
            t += m->step[i];
        if (holds(b, t, (Piece)(kind | by)) || holds(b, t, (Piece)(QUEEN | by)))
            return true;
    }
    return false;
}

bool attacked(const Board *b, Sq s, int by)
{
    int back = s - forward(by);
    if (holds(b, back - 1, (Piece)(PAWN | by)) || holds(b, back + 1, (Piece)(PAWN | by)))
        return true;
    return leaper_attack(b, s, KNIGHT, by) || leaper_attack(b, s, KING, by) ||
           slider_attack(b, s, BISHOP, by) || slider_attack(b, s, ROOK, by);
}

bool in_check(const Board *b, int side)
{
    return attacked(b, b->king[SIDE_INDEX(side)], side ^ COLOUR);
}

static void push(Moves *out, int from, int to, int flag, int promote)
{
    assert(out->n < MAX_MOVES);
    out->list[out->n++] = (Move){ (Sq)from, (Sq)to, (uint8_t)flag, (uint8_t)promote };
}

static void push_pawn(Moves *out, int from, int to, int flag)
{
    if (RANK(to) == 0 || RANK(to) == 7) {
        for (int kind = QUEEN; kind >= KNIGHT; kind--)
            push(out, from, to, flag, kind);
    } else {
        push(out, from, to, flag, NONE);
    }
}

static void pawn_moves(const Board *b, Sq from, Moves *out)
{
    int fwd = forward(b->side), to = from + fwd;
    if (!b->at[to]) {
        push_pawn(out, from, to, QUIET);
        int home = b->side == WHITE ? 1 : 6;
        if (RANK(from) == home && !b->at[to + fwd])
            push(out, from, to + fwd, DOUBLE_STEP, NONE);
    }
    for (int side = -1; side <= 1; side += 2) {
        int t = to + side;
        if (!ON_BOARD(t))
            continue;
        if (t == b->ep)
            push(out, from, t, EN_PASSANT, NONE);
        else if (b->at[t] && OWNER(b->at[t]) != b->side)
            push_pawn(out, from, t, CAPTURE);
    }
}

static void piece_moves(const Board *b, Sq from, const Mobility *m, Moves *out)
{
    for (int i = 0; i < m->count; i++) {
        int t = from + m->step[i];
        while (ON_BOARD(t)) {
            if (b->at[t]) {
                if (OWNER(b->at[t]) != b->side)
                    push(out, from, t, CAPTURE, NONE);
                break;
            }
            push(out, from, t, QUIET, NONE);
            if (!m->slides)
                break;
            t += m->step[i];
        }
    }
}

static bool path_clear(const Board *b, int from, int to)
{
    int step = to > from ? 1 : -1;
    for (int s = from + step; s != to; s += step)
        if (b->at[s])
            return false;
    return true;
}

static void castling_moves(const Board *b, Moves *out)
{
    int rank = b->side == WHITE ? 0 : 7, enemy = b->side ^ COLOUR;
    Sq home = SQ(4, rank);
    int shift = b->side == WHITE ? 0 : 2;

    if (!(b->castling >> shift & 3) || attacked(b, home, enemy))
        return;
    if ((b->castling >> shift & CASTLE_WK) && path_clear(b, home, SQ(7, rank)) &&
        !attacked(b, SQ(5, rank), enemy))
        push(out, home, SQ(6, rank), CASTLING, NONE);
    if ((b->castling >> shift & CASTLE_WQ) && path_clear(b, home, SQ(0, rank)) &&
        !attacked(b, SQ(3, rank), enemy))
        push(out, home, SQ(2, rank), CASTLING, NONE);
}

void generate(const Board *b, Moves *out)
{
    out->n = 0;
    for (int s = 0; s < 128; s++) {
        if (!ON_BOARD(s)) {
            s += 7;
            continue;
        }
        Piece p = b->at[s];
        if (!p || OWNER(p) != b->side)
            continue;
        if (KIND(p) == PAWN)
            pawn_moves(b, (Sq)s, out);
        else
            piece_moves(b, (Sq)s, &mobility[KIND(p)], out);
    }
    castling_moves(b, out);
}

static void put(Board *b, Sq s, Piece p)
{
    b->at[s] = p;
    b->key ^= zobrist_piece(p, s);
}

static Piece take(Board *b, Sq s)
{
    Piece p = b->at[s];
    b->at[s] = NONE;
    if (p)
        b->key ^= zobrist_piece(p, s);
    return p;
}

static uint8_t rights_lost(Sq s)
{
    switch (s) {
    case 0x00: return CASTLE_WQ;
    case 0x04: return CASTLE_WK | CASTLE_WQ;
    case 0x07: return CASTLE_WK;
    case 0x70: return CASTLE_BQ;
    case 0x74: return CASTLE_BK | CASTLE_BQ;
    case 0x77: return CASTLE_BK;
    default: return 0;
    }
}

static void rook_of_castling(Sq king_to, Sq *from, Sq *to)
{
    bool kingside = FILE_OF(king_to) == 6;
    *from = SQ(kingside ? 7 : 0, RANK(king_to));
    *to = SQ(kingside ? 5 : 3, RANK(king_to));
}

static Sq victim_square(Move m)
{
    return m.flag == EN_PASSANT ? SQ(FILE_OF(m.to), RANK(m.from)) : m.to;
}

bool make(Board *b, Move m)
{
    Undo *u = &b->history[b->ply++];
    Sq rf, rt;

    *u = (Undo){ m, NONE, b->castling, b->ep, b->halfmove, b->key };
    b->key ^= zobrist_state(b->castling, b->ep, b->side);
    u->captured = take(b, victim_square(m));
    Piece mover = take(b, m.from);
    put(b, m.to, m.promote ? (Piece)(m.promote | b->side) : mover);
    if (KIND(mover) == KING)
        b->king[SIDE_INDEX(b->side)] = m.to;
    if (m.flag == CASTLING) {
        rook_of_castling(m.to, &rf, &rt);
        put(b, rt, take(b, rf));
    }
    b->castling &= (uint8_t)~(rights_lost(m.from) | rights_lost(m.to));
    b->ep = m.flag == DOUBLE_STEP ? (Sq)((m.from + m.to) / 2) : NO_SQ;
    b->halfmove = KIND(mover) == PAWN || u->captured ? 0 : (uint8_t)(b->halfmove + 1);
    b->fullmove += b->side == BLACK;
    b->side ^= COLOUR;
    b->key ^= zobrist_state(b->castling, b->ep, b->side);
    if (in_check(b, b->side ^ COLOUR)) {
        unmake(b);
        return false;
    }
    return true;
}

void unmake(Board *b)
{
    const Undo *u = &b->history[--b->ply];
    Move m = u->move;
    Sq rf, rt;

    b->side ^= COLOUR;
    b->fullmove -= b->side == BLACK;
    Piece mover = m.promote ? (Piece)(PAWN | b->side) : b->at[m.to];
    b->at[m.to] = NONE;
    b->at[m.from] = mover;
    if (u->captured)
        b->at[victim_square(m)] = u->captured;
    if (KIND(mover) == KING)
        b->king[SIDE_INDEX(b->side)] = m.from;
    if (m.flag == CASTLING) {
        rook_of_castling(m.to, &rf, &rt);
        b->at[rf] = b->at[rt];
        b->at[rt] = NONE;
    }
    b->castling = u->castling;
    b->ep = u->ep;
    b->halfmove = u->halfmove;
    b->key = u->key;
}

void generate_legal(Board *b, Moves *out)
{
    Moves all;
    generate(b, &all);
    out->n = 0;
    for (int i = 0; i < all.n; i++) {
        if (make(b, all.list[i])) {
            unmake(b);
            out->list[out->n++] = all.list[i];
        }
    }
}
