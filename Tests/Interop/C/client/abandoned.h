// The checks of watches that a client without a cancel leaves behind.
#ifndef INTEROP_ABANDONED_H
#define INTEROP_ABANDONED_H

#include "check.h"

// 128 of them, as many streams as a connection may have: it can read all the same.
bool check_abandoned_watches(struct check *check);

// While somebody goes on to take what they receive, it can write, too.
bool check_drained_watches(struct check *check);

// When nobody does, the client stops itself: others must not notice, and it must be able to go on.
bool check_unread_watches(struct check *check);

#endif
