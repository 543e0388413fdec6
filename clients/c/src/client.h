/* The client's state, and its present channel. Used by call.c and watch.c. */
#ifndef TWIND_CLIENT_STATE_H
#define TWIND_CLIENT_STATE_H

#include <pthread.h>
#include <twind/call.h>

#include "channel.h"
#include "envelope.h"

struct twind_client {
  struct belonging belonging;
  char *path, *agent; /* agent: NULL = none */
  int64_t connect_nanos;
  int64_t call_timeout_micros;
  uint32_t unpack_factor;
  int64_t busy_poll_nanos;
  pthread_mutex_t lock; /* for what follows */
  pthread_cond_t connected;
  bool connecting;
  struct channel *channel; /* NULL = none yet, or the last attempt failed */
};

/* A reference to a channel that can be used; connects anew when the present one is broken or has used up its
 * stream ids. One thread connects at a time. NULL with `error`. */
struct channel *client_channel(twind_client *client, int64_t deadline, twind_error *error);

/* The envelope of a call; options may be NULL. */
struct envelope client_envelope(const twind_client *client, const twind_method *method,
                                const ProtobufCMessage *message, const twind_call_options *options,
                                int64_t timeout_nanos);

#endif
