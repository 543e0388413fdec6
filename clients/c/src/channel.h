/* A connection that many threads share. client.c opens channels; call.c starts streams on them.
 *
 * Leader and followers: the first thread that has to wait becomes the leader. It polls the socket without holding the
 * lock, then reads and writes for all threads. The others, the followers, each sleep on a condition variable. When the
 * leader has its reply, it wakes a follower to take over.
 *
 * Busy polling: before it sleeps, the leader spins, also without the lock, and tries to read into `in`, which belongs
 * to the leader while there is one. Followers never spin.
 *
 * fork(): in a child the channel is `foreign`. Its descriptors are closed and its streams have ended. Its buffers are
 * neither read nor freed, since another thread may have been changing them.
 *
 * There is no background thread, and no system call that can block is made while holding the lock. At most 128 streams
 * are open. Frames of unknown types and frames for unknown streams are ignored. When the connection breaks, all open
 * streams end.
 */
#ifndef TWIND_CHANNEL_H
#define TWIND_CHANNEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "buffer.h"
#include "process.h"

enum {
  CHANNEL_STREAMS_MAX = 128,          /* the daemon's limit per connection */
  CHANNEL_CORKED_BYTES_MAX = 1 << 20, /* corked output is sent when it exceeds this */
};

enum stream_state {
  STREAM_OPEN,      /* changes once, to one of the states below */
  STREAM_ANSWERED,  /* `reply` holds the payload of a response frame */
  STREAM_VIOLATED,  /* the daemon sent a frame that is not allowed in a unary call */
  STREAM_NO_MEMORY, /* out of memory for the reply */
  STREAM_LOST,      /* the connection broke after the request was written: the outcome is unknown */
  STREAM_UNSENT,    /* the connection broke before that: the daemon cannot have acted on the request */
  STREAM_ABANDONED, /* the caller gave up */
};

struct stream {
  uint32_t id;
  enum stream_state state;
  uint64_t request_end; /* the position in the channel's output where the request ends */
  struct buffer reply;
  struct stream *next;
};

struct waiter;

struct channel {
  struct belonging belonging;
  pthread_mutex_t lock;
  int references;
  int fd;
  int kick;                /* an eventfd that makes a sleeping leader check the output again */
  atomic_bool kicked;      /* the same for a spinning leader */
  int64_t busy_poll_nanos; /* how long the leader spins before it sleeps; 0 or less: not at all */
  unsigned vain_waits;     /* how many waits in a row found nothing by spinning, or did not spin */
  bool led;                /* there is a leader */
  bool broken;             /* the connection can no longer be used */
  bool foreign;            /* opened by the parent process; also broken */
  int failure_code;        /* why it broke, with `failure` */
  char failure[160];
  uint64_t next_id;        /* odd; above UINT32_MAX: all ids are used up */
  struct buffer in, out;
  uint64_t sent;           /* bytes of output written so far; `out` holds the rest */
  struct stream *streams;
  size_t n_streams;
  struct waiter *waiters;
};

/* Returns a channel with one reference, or NULL. Takes ownership of the connected, non-blocking descriptor, even on
 * failure. */
struct channel *channel_open(int fd, int64_t busy_poll_nanos);
struct channel *channel_retain(struct channel *channel);
void channel_release(struct channel *channel);

/* Whether new streams can be started on the channel. */
bool channel_usable(struct channel *channel);

enum channel_start {
  CHANNEL_STARTED,   /* written, or buffered if corked; the channel uses `stream` until it is no longer open */
  CHANNEL_UNUSABLE,  /* not sent; use another channel */
  CHANNEL_TIMED_OUT, /* no stream became free, or the request was not written, by the deadline */
  CHANNEL_NO_MEMORY,
};

/* Sends a request frame on a new stream, with the stream's id filled in. */
enum channel_start channel_start(struct channel *channel, struct stream *stream, const struct buffer *frame,
                                 bool corked, int64_t deadline);

/* Waits until the stream is no longer open. At the deadline it abandons the stream and returns false. */
bool channel_await(struct channel *channel, struct stream *stream, int64_t deadline);

/* Abandons the stream if it is open, and cancels it at the daemon. */
void channel_abandon(struct channel *channel, struct stream *stream);

/* Marks the channel as broken and ends all its open streams. */
void channel_fail(struct channel *channel, int code, const char *why);

#endif
