/* interleave.c - spreading of several code words over one channel block.
 * SPDX-License-Identifier: Apache-2.0 */
#include "interleave.h"

#include <string.h>

static int word_len(const struct interleaver *il)
{
	return il->data_len + il->code->parity;
}

int il_block_len(const struct interleaver *il)
{
	return il->depth * word_len(il);
}

int il_payload_len(const struct interleaver *il)
{
	return il->depth * il->data_len;
}

void il_encode(const struct interleaver *il, const gf_elem *payload,
	       gf_elem *block)
{
	gf_elem word[255];
	int w, i;

	for (w = 0; w < il->depth; w++) {
		memcpy(word, payload + w * il->data_len, (size_t)il->data_len);
		rs_encode(il->code, word, il->data_len, word + il->data_len);
		for (i = 0; i < word_len(il); i++)
			block[i * il->depth + w] = word[i];
	}
}

static int gather(const struct interleaver *il, const gf_elem *block,
		  const uint8_t *suspect, int w, gf_elem *word, int *erasures)
{
	int i, n = 0;

	for (i = 0; i < word_len(il); i++) {
		word[i] = block[i * il->depth + w];
		if (suspect && suspect[i * il->depth + w])
			erasures[n++] = i;
	}
	return n;
}

int il_decode(const struct interleaver *il, const gf_elem *block,
	      const uint8_t *suspect, gf_elem *payload, int *corrections)
{
	gf_elem word[255];
	int erasures[255], w, failed = 0;

	for (w = 0; w < il->depth; w++) {
		int n = gather(il, block, suspect, w, word, erasures);
		struct rs_report r = rs_decode(il->code, word, word_len(il),
					       erasures, n);

		if (r.status > RS_CORRECTED)
			failed++;
		*corrections += r.errors;
		memcpy(payload + w * il->data_len, word, (size_t)il->data_len);
	}
	return failed;
}
