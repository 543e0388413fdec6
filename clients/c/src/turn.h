/* Leader and followers (see channel.h). Called by channel.c with the channel's lock held. */
#ifndef TWIND_TURN_H
#define TWIND_TURN_H

#include "channel.h"

typedef bool (*turn_condition)(const struct channel *channel, const struct stream *stream);

/* Reads and writes, or lets another thread do so, until the condition is true. False if the deadline came first.
 * Releases the lock while it waits. The condition must be true on a broken channel. */
bool wait_until(struct channel *channel, turn_condition condition, const struct stream *stream, int64_t deadline);

/* Wakes the waiting threads whose condition is true. Call it after every change that may affect one. */
void wake_those_ready(struct channel *channel);

#endif
