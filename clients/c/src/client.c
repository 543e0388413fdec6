/* Connecting, reconnecting and closing. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "clock.h"
#include "fault.h"
#include "socket.h"

enum { CONNECT_MICROS_DEFAULT = 5 * 1000 * 1000, CALL_MICROS_DEFAULT = 30 * 1000 * 1000 };

static int64_t or_default(int64_t value, int64_t fallback) { return value ? value : fallback; }

static void init_locks(twind_client *client) {
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&client->connected, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&client->lock, NULL);
}

/* Leaves the channel alone: it is foreign now, so the next call replaces it. */
static void enter_child(struct belonging *self) {
  twind_client *client = CONTAINER_OF(self, twind_client, belonging);
  init_locks(client);
  client->connecting = false;
}

static void client_free(twind_client *client) {
  belonging_remove(&client->belonging);
  if (client->channel) channel_release(client->channel);
  pthread_mutex_destroy(&client->lock);
  pthread_cond_destroy(&client->connected);
  free(client->path);
  free(client->agent);
  free(client);
}

static twind_client *client_new(const char *path, const twind_options *options) {
  twind_client *client = calloc(1, sizeof *client);
  if (!client) return NULL;
  init_locks(client);
  belonging_add(&client->belonging, enter_child);
  client->path = socket_path(path);
  client->agent = options->agent ? strdup(options->agent) : NULL;
  client->connect_nanos = saturating_nanos(or_default(options->connect_timeout_micros, CONNECT_MICROS_DEFAULT));
  client->call_timeout_micros = or_default(options->call_timeout_micros, CALL_MICROS_DEFAULT);
  client->unpack_factor = options->unpack_factor ? options->unpack_factor : UNPACK_FACTOR_DEFAULT;
  client->busy_poll_nanos = saturating_nanos(options->busy_poll_micros);
  if (client->path && (client->agent || !options->agent)) return client;
  client_free(client);
  return NULL;
}

static bool check_options(const twind_options *options, twind_error *error) {
  if (options->agent && !*options->agent)
    fault(error, TWIND_INVALID_ARGUMENT,
          "the client's agent is empty: leave it NULL to use the process's user name");
  else if (options->connect_timeout_micros < 0)
    fault(error, TWIND_INVALID_ARGUMENT, "connect_timeout_micros is negative: use 0 for the default of 5 s");
  else
    return true;
  return false;
}

twind_client *twind_connect(const char *path, const twind_options *options, twind_error *error) {
  const twind_options defaults = TWIND_OPTIONS_INIT;
  if (!options) options = &defaults;
  if (!check_options(options, error)) return NULL;
  twind_client *client = client_new(path, options);
  if (!client) {
    fault(error, TWIND_RESOURCE_EXHAUSTED, "out of memory for a client");
    return NULL;
  }
  struct channel *channel = client_channel(client, NO_DEADLINE, error);
  if (!channel) {
    client_free(client);
    return NULL;
  }
  channel_release(channel);
  fault_none(error);
  return client;
}

void twind_close(twind_client *client) {
  if (!client) return;
  if (client->channel) channel_fail(client->channel, TWIND_CANCELLED, "the client was closed");
  client_free(client);
}

static struct channel *connect_channel(const twind_client *client, int64_t deadline, twind_error *error) {
  int fd = socket_connect(client->path, earlier(deadline, deadline_after(client->connect_nanos)), error);
  if (fd < 0) return NULL;
  struct channel *channel = channel_open(fd, client->busy_poll_nanos);
  if (!channel) fault(error, TWIND_RESOURCE_EXHAUSTED, "out of memory or descriptors for a connection");
  return channel;
}

/* Waits while another thread connects. Called with the client's lock held. False if the deadline came first. */
static bool let_connect(twind_client *client, int64_t deadline) {
  while (client->connecting) {
    if (deadline_passed(deadline)) return false;
    struct timespec until = timespec_of(deadline);
    if (deadline == NO_DEADLINE)
      pthread_cond_wait(&client->connected, &client->lock);
    else
      pthread_cond_timedwait(&client->connected, &client->lock, &until);
  }
  return true;
}

/* Called with the client's lock held; releases it while connecting. Calls on the old channel continue there. */
static void replace_channel(twind_client *client, int64_t deadline, twind_error *error) {
  struct channel *old = client->channel;
  client->channel = NULL;
  client->connecting = true;
  pthread_mutex_unlock(&client->lock);
  if (old) channel_release(old);
  struct channel *fresh = connect_channel(client, deadline, error);
  pthread_mutex_lock(&client->lock);
  client->channel = fresh;
  client->connecting = false;
  pthread_cond_broadcast(&client->connected);
}

struct channel *client_channel(twind_client *client, int64_t deadline, twind_error *error) {
  struct channel *result = NULL;
  pthread_mutex_lock(&client->lock);
  if (!let_connect(client, deadline)) {
    fault(error, TWIND_DEADLINE_EXCEEDED, "timed out before connecting to %s", client->path);
  } else {
    if (!client->channel || !channel_usable(client->channel)) replace_channel(client, deadline, error);
    if (client->channel) result = channel_retain(client->channel);
  }
  pthread_mutex_unlock(&client->lock);
  return result;
}

struct envelope client_envelope(const twind_client *client, const twind_method *method,
                                const ProtobufCMessage *message, const twind_call_options *options,
                                int64_t timeout_nanos) {
  return (struct envelope){
      .method = method,
      .message = message,
      .agent = options && options->agent ? options->agent : client->agent,
      .metadata = options ? options->metadata : NULL,
      .n_metadata = options ? options->n_metadata : 0,
      .timeout_nanos = timeout_nanos == INT64_MAX ? 0 : timeout_nanos,
  };
}
