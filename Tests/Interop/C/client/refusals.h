// The checks of what ends a connection: ids that are used up, and a frame that is too large. In both the client must
// hear why, a call under way must still be answered, and a new connection must work.
#ifndef INTEROP_REFUSALS_H
#define INTEROP_REFUSALS_H

#include "check.h"

struct refusal_calls {
  struct call quick;  // Answered at once with OK.
  struct call slow;   // Answered after half a second or more, with `slow_code`.
  int slow_code;
  struct call large;  // Over 4 MiB.
};

bool check_ids_used_up(struct check *check, const struct refusal_calls *calls);
bool check_oversized(struct check *check, const struct refusal_calls *calls);

#endif
