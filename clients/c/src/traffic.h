/* What goes over the channel's socket. Called by channel.c and turn.c with the channel's lock held; never blocks. */
#ifndef TWIND_TRAFFIC_H
#define TWIND_TRAFFIC_H

#include <sys/types.h>

#include "channel.h"

/* Writes what the socket takes. True = something changed: bytes went out, or the connection broke. */
bool write_output(struct channel *channel);

/* Reads what has come, at most once, and gives the frames to their streams. True = there may be more. */
bool read_input(struct channel *channel);

/* The two halves of read_input. The first touches nothing but the socket and `in`, which are the leader's while there is
 * one: it needs no lock. It returns how many bytes came, 0 at the end, or a negative errno: -EAGAIN = nothing yet. */
ssize_t receive_input(struct channel *channel);
bool take_input(struct channel *channel, ssize_t received);

/* Makes a leader that polls look at the output again. */
void kick_leader(struct channel *channel);

/* Takes an open stream off the channel. */
void end_stream(struct channel *channel, struct stream *stream, enum stream_state state);

/* Ends every open stream, each LOST or UNSENT. Does nothing on a broken channel. */
void break_connection(struct channel *channel, int code, const char *why);

#endif
