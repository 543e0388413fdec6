/* A client and its current channel. Used by call.c and watch.c. */
#ifndef TWIND_CLIENT_STATE_H
#define TWIND_CLIENT_STATE_H

#include <pthread.h>
#include <twind/call.h>

#include "channel.h"
#include "envelope.h"

struct twind_client {
  struct belonging belonging;
  char *path, *agent; /* `agent` may be NULL */
  int64_t connect_nanos;
  int64_t call_timeout_micros;
  uint32_t unpack_factor;
  int64_t busy_poll_nanos;
  pthread_mutex_t lock; /* protects the fields below */
  pthread_cond_t connected;
  bool connecting;
  struct channel *channel; /* NULL: not connected yet, or the last attempt failed */
};

/* Returns a reference to a usable channel, or NULL with `error` set. Reconnects if the current channel is broken or has
 * used up its stream ids. Only one thread connects at a time. */
struct channel *client_channel(twind_client *client, int64_t deadline, twind_error *error);

/* The envelope of a call. `options` may be NULL. */
struct envelope client_envelope(const twind_client *client, const twind_method *method,
                                const ProtobufCMessage *message, const twind_call_options *options,
                                int64_t timeout_nanos);

#endif
