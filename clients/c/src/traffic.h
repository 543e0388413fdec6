/* Reading and writing the channel's socket. Called by channel.c and turn.c with the channel's lock held. Never
 * blocks. */
#ifndef TWIND_TRAFFIC_H
#define TWIND_TRAFFIC_H

#include <sys/types.h>

#include "channel.h"

/* Writes as much as the socket accepts. True if something changed: bytes were sent, or the connection broke. */
bool write_output(struct channel *channel);

/* Reads at most once and hands the frames to their streams. True if there may be more to read. */
bool read_input(struct channel *channel);

/* The two halves of read_input. The first uses only the socket and `in`, which belong to the leader, so the leader
 * calls it without the lock. It returns the number of bytes read, 0 at the end of the stream, or a negative errno;
 * -EAGAIN means that nothing has arrived. */
ssize_t receive_input(struct channel *channel);
bool take_input(struct channel *channel, ssize_t received);

/* Makes a polling leader check the output again. */
void kick_leader(struct channel *channel);

/* Removes an open stream from the channel. */
void end_stream(struct channel *channel, struct stream *stream, enum stream_state state);

/* Ends every open stream as LOST or UNSENT. Does nothing if the channel is already broken. */
void break_connection(struct channel *channel, int code, const char *why);

#endif
