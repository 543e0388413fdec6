/* Starting and ending streams on the shared connection. Waiting is in turn.c, input and output in traffic.c. */
#include "channel.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <twind/error.h>
#include <unistd.h>

#include "frame.h"
#include "traffic.h"
#include "turn.h"

static void enter_child(struct belonging *self) {
  struct channel *channel = CONTAINER_OF(self, struct channel, belonging);
  if (channel->fd >= 0) close(channel->fd); /* no shutdown(): the parent still uses it */
  if (channel->kick >= 0) close(channel->kick);
  channel->fd = channel->kick = -1;
  channel->broken = channel->foreign = true;
  channel->led = false;
  channel->waiters = NULL;
  pthread_mutex_init(&channel->lock, NULL);
}

struct channel *channel_open(int fd, int64_t busy_poll_nanos) {
  struct channel *channel = calloc(1, sizeof *channel);
  int kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (!channel || kick < 0 || pthread_mutex_init(&channel->lock, NULL) != 0) {
    free(channel);
    if (kick >= 0) close(kick);
    close(fd);
    return NULL;
  }
  channel->references = 1;
  channel->fd = fd;
  channel->kick = kick;
  channel->next_id = 1;
  channel->busy_poll_nanos = busy_poll_nanos;
  belonging_add(&channel->belonging, enter_child);
  return channel;
}

struct channel *channel_retain(struct channel *channel) {
  pthread_mutex_lock(&channel->lock);
  channel->references++;
  pthread_mutex_unlock(&channel->lock);
  return channel;
}

void channel_release(struct channel *channel) {
  pthread_mutex_lock(&channel->lock);
  bool last = --channel->references == 0;
  pthread_mutex_unlock(&channel->lock);
  if (!last) return;
  belonging_remove(&channel->belonging);
  if (!channel->foreign) {
    close(channel->fd);
    close(channel->kick);
    buffer_free(&channel->in);
    buffer_free(&channel->out);
  }
  pthread_mutex_destroy(&channel->lock);
  free(channel);
}

static bool usable(const struct channel *channel) { return !channel->broken && channel->next_id <= UINT32_MAX; }

bool channel_usable(struct channel *channel) {
  pthread_mutex_lock(&channel->lock);
  bool result = usable(channel);
  pthread_mutex_unlock(&channel->lock);
  return result;
}

static bool has_room(const struct channel *channel, const struct stream *stream) {
  (void)stream;
  return !usable(channel) || channel->n_streams < CHANNEL_STREAMS_MAX;
}

static bool is_written(const struct channel *channel, const struct stream *stream) {
  return stream->state != STREAM_OPEN || channel->foreign || channel->sent >= stream->request_end;
}

static bool is_over(const struct channel *channel, const struct stream *stream) {
  return stream->state != STREAM_OPEN || channel->foreign;
}

static void add_stream(struct channel *channel, struct stream *stream) {
  struct stream **link = &channel->streams;
  while (*link) link = &(*link)->next;
  *link = stream;
  stream->next = NULL; /* it may still be set from a channel that broke */
  channel->n_streams++;
}

static void abandon(struct channel *channel, struct stream *stream) {
  if (stream->state != STREAM_OPEN || channel->foreign) return;
  end_stream(channel, stream, STREAM_ABANDONED);
  uint8_t cancel[FRAME_HEADER_BYTES];
  frame_write_header(cancel, &(struct frame){.stream = stream->id, .type = FRAME_CANCEL});
  if (buffer_append(&channel->out, cancel, sizeof cancel)) write_output(channel);
  wake_those_ready(channel);
}

static enum channel_start start(struct channel *channel, struct stream *stream, const struct buffer *frame,
                                bool corked, int64_t deadline) {
  if (!wait_until(channel, has_room, stream, deadline)) return CHANNEL_TIMED_OUT;
  if (!usable(channel)) return CHANNEL_UNUSABLE;
  size_t length = buffer_size(frame);
  if (!buffer_append(&channel->out, buffer_data(frame), length)) return CHANNEL_NO_MEMORY;
  stream->id = (uint32_t)channel->next_id;
  channel->next_id += 2;
  frame_set_stream(channel->out.bytes + channel->out.end - length, stream->id);
  stream->state = STREAM_OPEN;
  stream->request_end = channel->sent + buffer_size(&channel->out);
  add_stream(channel, stream);
  if (corked && buffer_size(&channel->out) < CHANNEL_CORKED_BYTES_MAX) return CHANNEL_STARTED;
  if (!wait_until(channel, is_written, stream, deadline)) {
    abandon(channel, stream);
    return CHANNEL_TIMED_OUT;
  }
  return stream->state == STREAM_UNSENT || channel->foreign ? CHANNEL_UNUSABLE : CHANNEL_STARTED;
}

enum channel_start channel_start(struct channel *channel, struct stream *stream, const struct buffer *frame,
                                 bool corked, int64_t deadline) {
  pthread_mutex_lock(&channel->lock);
  enum channel_start result = start(channel, stream, frame, corked, deadline);
  pthread_mutex_unlock(&channel->lock);
  return result;
}

bool channel_await(struct channel *channel, struct stream *stream, int64_t deadline) {
  pthread_mutex_lock(&channel->lock);
  bool in_time = wait_until(channel, is_over, stream, deadline);
  if (!in_time) abandon(channel, stream);
  pthread_mutex_unlock(&channel->lock);
  return in_time;
}

void channel_abandon(struct channel *channel, struct stream *stream) {
  pthread_mutex_lock(&channel->lock);
  abandon(channel, stream);
  pthread_mutex_unlock(&channel->lock);
}

void channel_fail(struct channel *channel, int code, const char *why) {
  pthread_mutex_lock(&channel->lock);
  if (!channel->foreign) break_connection(channel, code, why);
  wake_those_ready(channel);
  pthread_mutex_unlock(&channel->lock);
}
