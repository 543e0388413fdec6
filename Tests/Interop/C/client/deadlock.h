// The check that a client with one lock across its writes and its stream table is never waited for.
#ifndef INTEROP_DEADLOCK_H
#define INTEROP_DEADLOCK_H

#include "check.h"

// The locks as in ttrpc-go 1.2.3, and a single one for everything.
bool check_no_deadlock(struct check *check);
bool check_no_deadlock_with_one_lock(struct check *check);

#endif
