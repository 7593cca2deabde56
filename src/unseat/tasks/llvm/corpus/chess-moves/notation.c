// SPDX-License-Identifier: Apache-2.0
// notation.c - coordinate and standard algebraic move text.
#include "chess.h"

#include <string.h>

static char *write_square(char *w, Sq s)
{
    *w++ = (char)('a' + FILE_OF(s));
    *w++ = (char)('1' + RANK(s));
    return w;
}

void move_coord(Move m, char out[8])
{
    char *w = write_square(write_square(out, m.from), m.to);
    if (m.promote)
        *w++ = ".pnbrqk"[m.promote];
    *w = '\0';
}

// Names the origin only as far as other moves of the same kind demand.
static char *disambiguate(const Board *b, const Moves *legal, Move m, char *w)
{
    bool clash = false, file = false, rank = false;
    for (int i = 0; i < legal->n; i++) {
        Move o = legal->list[i];
        if (o.to != m.to || o.from == m.from || b->at[o.from] != b->at[m.from])
            continue;
        clash = true;
        file |= FILE_OF(o.from) == FILE_OF(m.from);
        rank |= RANK(o.from) == RANK(m.from);
    }
    if (clash && (!file || rank))
        *w++ = (char)('a' + FILE_OF(m.from));
    if (file)
        *w++ = (char)('1' + RANK(m.from));
    return w;
}

static char *write_suffix(Board *b, Move m, char *w)
{
    Moves replies;
    make(b, m);
    if (in_check(b, b->side)) {
        generate_legal(b, &replies);
        *w++ = replies.n ? '+' : '#';
    }
    unmake(b);
    return w;
}

void move_san(Board *b, Move m, char out[12])
{
    Moves legal;
    char *w = out;
    int kind = KIND(b->at[m.from]);
    bool takes = m.flag == CAPTURE || m.flag == EN_PASSANT;

    if (m.flag == CASTLING) {
        const char *text = FILE_OF(m.to) == 6 ? "O-O" : "O-O-O";
        strcpy(out, text);
        w += strlen(text);
    } else {
        if (kind != PAWN) {
            generate_legal(b, &legal);
            *w++ = ".PNBRQK"[kind];
            w = disambiguate(b, &legal, m, w);
        } else if (takes) {
            *w++ = (char)('a' + FILE_OF(m.from));
        }
        if (takes)
            *w++ = 'x';
        w = write_square(w, m.to);
        if (m.promote) {
            *w++ = '=';
            *w++ = ".PNBRQK"[m.promote];
        }
    }
    w = write_suffix(b, m, w);
    *w = '\0';
}

bool move_find(Board *b, const char *text, Move *out)
{
    Moves legal;
    char san[12], coord[8];
    generate_legal(b, &legal);
    for (int i = 0; i < legal.n; i++) {
        move_san(b, legal.list[i], san);
        move_coord(legal.list[i], coord);
        if (!strcmp(san, text) || !strcmp(coord, text)) {
            *out = legal.list[i];
            return true;
        }
    }
    return false;
}
