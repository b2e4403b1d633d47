/* SPDX-License-Identifier: BSD-2-Clause */
/* What src/report/figures.c is made of; only for the figures_*.c files. */
#ifndef REPORT_FIGURES_PARTS_H
#define REPORT_FIGURES_PARTS_H

#include "report/figures.h"

/* figures_resolve guesses our address where it has to, and makes pair_flow, the peers and
 * pair_peers. */
bool figures_resolve(struct figures *figures);

/* figures_add_peers adds a row to its peers. */
void figures_add_peers(struct figures *figures, const struct row *row,
                       const struct posture *posture, const struct judgement *judgement,
                       enum judged_as as);

/* figures_finish_peers counts them and sorts them, those that cannot first, by sessions; pair_peers
 * follows. */
void figures_finish_peers(struct figures *figures);

bool figures_count_words(struct figures *figures);
bool figures_make_own(struct figures *figures);
void figures_evidence(struct figures *figures);

#endif
