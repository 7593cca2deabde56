// SPDX-License-Identifier: Apache-2.0
// board.c - FEN in and out, Zobrist keys, and a text diagram.
#include "chess.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char LETTERS[] = ".PNBRQK..pnbrqk";
static Key piece_keys[16][128], castle_keys[16], ep_keys[8], side_key;

static Key splitmix(Key *state)
{
    Key z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void zobrist_init(void)
{
    Key state = 2024;
    for (int p = 0; p < 16; p++)
        for (int s = 0; s < 128; s++)
            piece_keys[p][s] = splitmix(&state);
    for (int i = 0; i < 16; i++)
        castle_keys[i] = splitmix(&state);
    for (int i = 0; i < 8; i++)
        ep_keys[i] = splitmix(&state);
    side_key = splitmix(&state);
}

Key zobrist_piece(Piece p, Sq s) { return piece_keys[p][s]; }

Key zobrist_state(uint8_t castling, Sq ep, int side)
{
    return castle_keys[castling] ^ (ep == NO_SQ ? 0 : ep_keys[FILE_OF(ep)]) ^
           (side == BLACK ? side_key : 0);
}

Key board_key(const Board *b)
{
    Key k = zobrist_state(b->castling, b->ep, b->side);
    for (int s = 0; s < 128; s++)
        if (ON_BOARD(s) && b->at[s])
            k ^= zobrist_piece(b->at[s], (Sq)s);
    return k;
}

static Piece piece_from(char c)
{
    const char *hit = c && c != '.' ? strchr(LETTERS, c) : NULL;
    return hit ? (Piece)(hit - LETTERS) : NONE;
}

static const char *parse_placement(Board *b, const char **text)
{
    const char *s = *text;
    for (int rank = 7; rank >= 0; rank--) {
        int file = 0;
        while (*s && *s != '/' && *s != ' ') {
            if (isdigit((unsigned char)*s)) {
                file += *s++ - '0';
                continue;
            }
            Piece p = piece_from(*s++);
            if (!p)
                return "unknown piece";
            if (file > 7)
                return "rank too long";
            Sq at = SQ(file, rank);
            b->at[at] = p;
            if (KIND(p) == KING) {
                if (b->king[SIDE_INDEX(OWNER(p))] != NO_SQ)
                    return "two kings of a colour";
                b->king[SIDE_INDEX(OWNER(p))] = at;
            }
            file++;
        }
        if (file != 8)
            return "rank of wrong length";
        if (rank && *s++ != '/')
            return "missing rank";
    }
    *text = s;
    return NULL;
}

static const char *parse_castling(Board *b, const char **text)
{
    static const char rights[] = "KQkq";
    const char *s = *text;
    if (*s == '-') {
        s++;
    } else {
        for (; *s && *s != ' '; s++) {
            const char *hit = strchr(rights, *s);
            if (!hit)
                return "bad castling field";
            b->castling |= (uint8_t)(1 << (hit - rights));
        }
    }
    *text = s;
    return NULL;
}

static int parse_number(const char **text, int fallback)
{
    const char *s = *text;
    int v = 0;
    while (*s == ' ')
        s++;
    if (!isdigit((unsigned char)*s))
        return fallback;
    while (isdigit((unsigned char)*s) && v < 10000)
        v = v * 10 + (*s++ - '0');
    *text = s;
    return v;
}

const char *board_parse(Board *b, const char *fen)
{
    const char *err;

    memset(b, 0, sizeof *b);
    b->king[0] = b->king[1] = b->ep = NO_SQ;
    if ((err = parse_placement(b, &fen)) != NULL)
        return err;
    if (b->king[0] == NO_SQ || b->king[1] == NO_SQ)
        return "a king is missing";
    if (*fen++ != ' ' || (*fen != 'w' && *fen != 'b'))
        return "bad side to move";
    b->side = *fen++ == 'w' ? WHITE : BLACK;
    if (*fen++ != ' ')
        return "castling field missing";
    if ((err = parse_castling(b, &fen)) != NULL)
        return err;
    if (*fen++ != ' ')
        return "en passant field missing";
    if (*fen != '-') {
        if (fen[0] < 'a' || fen[0] > 'h' || (fen[1] != '3' && fen[1] != '6'))
            return "bad en passant square";
        b->ep = SQ(fen[0] - 'a', fen[1] - '1');
        fen++;
    }
    fen++;
    b->halfmove = (uint8_t)(parse_number(&fen, 0) & 0xff);
    b->fullmove = parse_number(&fen, 1);
    if (in_check(b, b->side ^ COLOUR))
        return "side to move could take the king";
    b->key = board_key(b);
    return NULL;
}

void board_fen(const Board *b, char out[96])
{
    char *w = out;
    for (int rank = 7; rank >= 0; rank--) {
        int gap = 0;
        for (int file = 0; file < 8; file++) {
            Piece p = b->at[SQ(file, rank)];
            if (!p) {
                gap++;
                continue;
            }
            if (gap)
                *w++ = (char)('0' + gap);
            gap = 0;
            *w++ = LETTERS[p];
        }
        if (gap)
            *w++ = (char)('0' + gap);
        if (rank)
            *w++ = '/';
    }
    *w++ = ' ';
    *w++ = b->side == WHITE ? 'w' : 'b';
    *w++ = ' ';
    for (int i = 0; i < 4; i++)
        if (b->castling >> i & 1)
            *w++ = "KQkq"[i];
    if (!b->castling)
        *w++ = '-';
    *w++ = ' ';
    if (b->ep == NO_SQ) {
        *w++ = '-';
    } else {
        *w++ = (char)('a' + FILE_OF(b->ep));
        *w++ = (char)('1' + RANK(b->ep));
    }
    snprintf(w, 96 - (size_t)(w - out), " %d %d", b->halfmove, b->fullmove);
}

void board_print(const Board *b)
{
    for (int rank = 7; rank >= 0; rank--) {
        printf("  %d ", rank + 1);
        for (int file = 0; file < 8; file++)
            printf(" %c", LETTERS[b->at[SQ(file, rank)]]);
        putchar('\n');
    }
    puts("     a b c d e f g h");
}
