/* One connection that many threads share: streams, output, and whose turn it is to read.
 *
 * Promises: no thread of its own; no system call that can block while the lock is held; at most 128 open streams;
 * frames for streams that are not open, and frames of unknown types, are ignored; a connection that breaks ends
 * every open stream at once. Used by client.c, which makes channels, and call.c, which makes streams.
 *
 * Leader and followers: the first thread that has to wait becomes the leader. It polls the socket, without the
 * lock, and then reads and writes for all. The others sleep, each on its own condition. A leader that has what it
 * waited for wakes a follower to take its place.
 *
 * Busy polling: the leader first spins, also without the lock, and tries to read into `in`, which nobody else touches
 * while a thread leads. Followers never spin.
 *
 * Fork: in a child the channel is foreign. Its descriptors are closed, its streams are over in whatever state they were,
 * and its buffers, which another thread may have been growing, are never looked at again nor freed.
 */
#ifndef TWIND_CHANNEL_H
#define TWIND_CHANNEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "buffer.h"
#include "process.h"

enum {
  CHANNEL_STREAMS_MAX = 128,          /* the daemon's limit for a connection */
  CHANNEL_CORKED_BYTES_MAX = 1 << 20, /* more than this is not held back */
};

enum stream_state {
  STREAM_OPEN,      /* -> any other, once */
  STREAM_ANSWERED,  /* `reply` holds a response frame's payload */
  STREAM_VIOLATED,  /* the daemon answered with a frame that a unary call cannot have */
  STREAM_NO_MEMORY, /* the reply did not fit into memory */
  STREAM_LOST,      /* the connection broke after the request was written: the outcome is unknown */
  STREAM_UNSENT,    /* the connection broke before that: the daemon cannot have acted on it */
  STREAM_ABANDONED, /* given up by the caller */
};

struct stream {
  uint32_t id;
  enum stream_state state;
  uint64_t request_end; /* where its request ends, counted in bytes of the channel's output */
  struct buffer reply;
  struct stream *next;
};

struct waiter;

struct channel {
  struct belonging belonging;
  pthread_mutex_t lock;
  int references;
  int fd;
  int kick;                /* an eventfd that makes the leader look at the output again */
  atomic_bool kicked;      /* the same for a leader that spins */
  int64_t busy_poll_nanos; /* how long it spins before it sleeps; at most 0 = not at all */
  unsigned vain_waits;     /* so many leaders in a row found nothing by spinning, or did not try */
  bool led;                /* a thread is polling */
  bool broken;             /* nothing more comes or goes */
  bool foreign;            /* a process that forked this one opened it; broken too */
  int failure_code;        /* with `failure`: why it broke */
  char failure[160];
  uint64_t next_id;        /* odd; above UINT32_MAX = all are used */
  struct buffer in, out;
  uint64_t sent;           /* bytes of output written so far; out's bytes follow */
  struct stream *streams;
  size_t n_streams;
  struct waiter *waiters;
};

/* Takes over a connected, non-blocking descriptor (also when it fails): one reference, or NULL. */
struct channel *channel_open(int fd, int64_t busy_poll_nanos);
struct channel *channel_retain(struct channel *channel);
void channel_release(struct channel *channel);

/* Whether a new stream can be tried on it. */
bool channel_usable(struct channel *channel);

enum channel_start {
  CHANNEL_STARTED,   /* written, or left in the buffer when corked; `stream` is the channel's until it is not open */
  CHANNEL_UNUSABLE,  /* not sent; take another channel */
  CHANNEL_TIMED_OUT, /* no free stream, or not written, by the deadline */
  CHANNEL_NO_MEMORY,
};

/* Sends the request frame in `frame` (its stream id is filled in) on a new stream. */
enum channel_start channel_start(struct channel *channel, struct stream *stream, const struct buffer *frame,
                                 bool corked, int64_t deadline);

/* Waits until the stream is no longer open; false = the deadline came first, and the stream is abandoned. */
bool channel_await(struct channel *channel, struct stream *stream, int64_t deadline);

/* Makes a stream that may be open abandoned, and tells the daemon. */
void channel_abandon(struct channel *channel, struct stream *stream);

/* Ends the channel and all its open streams. */
void channel_fail(struct channel *channel, int code, const char *why);

#endif
