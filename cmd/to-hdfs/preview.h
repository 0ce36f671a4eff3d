/* preview - what nobody is contacted for: --explain, --ddl, and the scratch directory of --dry-run. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_PREVIEW_H
#define TO_HDFS_PREVIEW_H

#include "ddl.h"
#include "stage.h"

int preview_explain(struct filter *, struct stage *);                /* the exit status */
int preview_ddl(struct filter *, struct stage *, const struct ddl *); /* the same */

char *preview_scratch_open(void);                /* dies (73) */
void preview_scratch_remove(char *dir);         /* with all that is in it; frees the name */

#endif
