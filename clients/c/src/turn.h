/* Whose turn it is to poll the channel's socket. Called by channel.c with the channel's lock held. */
#ifndef TWIND_TURN_H
#define TWIND_TURN_H

#include "channel.h"

typedef bool (*turn_condition)(const struct channel *channel, const struct stream *stream);

/* Reads and writes, or lets another thread do it, until the condition holds; false = the deadline came first.
 * Gives the lock up while it waits. The condition must hold on a broken channel. */
bool wait_until(struct channel *channel, turn_condition condition, const struct stream *stream, int64_t deadline);

/* Wakes the waiting threads whose condition holds; to be called after every change that may matter to one. */
void wake_those_ready(struct channel *channel);

#endif
