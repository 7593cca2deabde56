// SPDX-License-Identifier: Apache-2.0
// chess.h - 0x88 board, moves and the interfaces of the chess modules.
#ifndef CHESS_H
#define CHESS_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t Sq;     // 0x88 square: rank * 16 + file
typedef int8_t Piece;   // kind in the low bits, colour in bit 3
typedef uint64_t Key;

enum { WHITE = 0, BLACK = 8, COLOUR = 8 };
enum { NONE, PAWN, KNIGHT, BISHOP, ROOK, QUEEN, KING, KINDS };
enum { CASTLE_WK = 1, CASTLE_WQ = 2, CASTLE_BK = 4, CASTLE_BQ = 8 };
enum { NO_SQ = 0x7f, MAX_MOVES = 256, MAX_PLY = 64 };

enum MoveFlag { QUIET, DOUBLE_STEP, CAPTURE, EN_PASSANT, CASTLING };

typedef struct {
    Sq from, to;
    uint8_t flag;       // enum MoveFlag
    uint8_t promote;    // kind, or NONE
} Move;

typedef struct {
    Move list[MAX_MOVES];
    int n;
} Moves;

typedef struct {        // what make() cannot recompute
    Move move;
    Piece captured;
    uint8_t castling;
    Sq ep;
    uint8_t halfmove;
    Key key;
} Undo;

typedef struct {
    Piece at[128];
    Sq king[2];
    int side;           // WHITE or BLACK
    uint8_t castling;
    Sq ep;
    uint8_t halfmove;
    int fullmove;
    Key key;
    Undo history[MAX_PLY];
    int ply;
} Board;

#define SIDE_INDEX(side) ((side) >> 3)
#define KIND(p) ((p) & 7)
#define OWNER(p) ((p) & COLOUR)
#define ON_BOARD(s) (!((s) & 0x88))
#define RANK(s) ((s) >> 4)
#define FILE_OF(s) ((s) & 7)
#define SQ(file, rank) ((Sq)((rank) * 16 + (file)))

// board.c
void zobrist_init(void);
Key zobrist_piece(Piece p, Sq s);
Key zobrist_state(uint8_t castling, Sq ep, int side);
Key board_key(const Board *b);
const char *board_parse(Board *b, const char *fen);  // NULL or an error
void board_fen(const Board *b, char out[96]);
void board_print(const Board *b);

// moves.c
bool attacked(const Board *b, Sq s, int by);
bool in_check(const Board *b, int side);
void generate(const Board *b, Moves *out);            // pseudo-legal
void generate_legal(Board *b, Moves *out);
bool make(Board *b, Move m);                          // false: illegal, undone
void unmake(Board *b);

// notation.c
void move_coord(Move m, char out[8]);
void move_san(Board *b, Move m, char out[12]);
bool move_find(Board *b, const char *text, Move *out);

// search.c
enum { MATE = 30000 };
typedef struct {
    Move best;
    int score;
    long nodes;
} Result;
long perft(Board *b, int depth);
int evaluate(const Board *b);
Result search(Board *b, int depth);

#endif
