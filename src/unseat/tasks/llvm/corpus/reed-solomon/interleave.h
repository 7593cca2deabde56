/* interleave.h - spreading of several code words over one channel block.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef INTERLEAVE_H
#define INTERLEAVE_H

#include "rs.h"

#define IL_MAX_DEPTH 8
#define IL_MAX_BLOCK (IL_MAX_DEPTH * 255)

struct interleaver {
	const struct rs_code *code;
	int depth;		/* code words side by side */
	int data_len;		/* data symbols of one code word */
};

int il_block_len(const struct interleaver *il);
int il_payload_len(const struct interleaver *il);
void il_encode(const struct interleaver *il, const gf_elem *payload,
	       gf_elem *block);
/* suspect[] marks erased symbols of the block, or is NULL; returns the number
 * of words that could not be decoded and adds up the corrections */
int il_decode(const struct interleaver *il, const gf_elem *block,
	      const uint8_t *suspect, gf_elem *payload, int *corrections);

#endif
