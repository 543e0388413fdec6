/* Setting a twind_error from inside the library. */
#ifndef TWIND_FAULT_H
#define TWIND_FAULT_H

#include <twind/error.h>

#include "ttrpc/ttrpc.pb-c.h"

void fault_none(twind_error *error);

void fault(twind_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Sets the error from the daemon's status. A code outside 1 to 16 becomes UNKNOWN. */
void fault_from_status(twind_error *error, const Ttrpc__Status *status);

#endif
