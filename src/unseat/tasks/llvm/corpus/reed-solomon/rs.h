/* rs.h - Reed-Solomon codes: systematic encoder, errors-and-erasures decoder.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RS_H
#define RS_H

#include "gf.h"

#define RS_MAX_PARITY 64

enum rs_status {
	RS_CLEAN,		/* nothing was wrong */
	RS_CORRECTED,
	RS_TOO_MANY_ERASURES,
	RS_BAD_LOCATOR,		/* locator degree and its roots disagree */
	RS_OUT_OF_RANGE,	/* an error in the virtual part of a short code */
	RS_STILL_WRONG,		/* the corrected word is no code word */
	RS_STATUS_COUNT
};

struct rs_code {
	struct gf field;
	int parity;		/* number of check symbols */
	int first_root;		/* exponent of the first root of the generator */
	gf_elem generator[RS_MAX_PARITY + 1];	/* highest power first, monic */
};

struct rs_report {
	enum rs_status status;
	int errors;		/* symbols that were changed */
	int at[RS_MAX_PARITY];
};

int rs_init(struct rs_code *c, int m, unsigned poly, int first_root, int parity);
void rs_encode(const struct rs_code *c, const gf_elem *data, int n,
	       gf_elem *check);
/* word = data then check symbols; erasures lists suspect positions in it */
struct rs_report rs_decode(const struct rs_code *c, gf_elem *word, int n,
			   const int *erasures, int nerasures);
const char *rs_status_name(enum rs_status s);

#endif
