/* Input and output of a channel. */
#include "traffic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <twind/error.h>
#include <unistd.h>

#include "frame.h"

enum { READ_BYTES_MIN = 32 * 1024 };

void end_stream(struct channel *channel, struct stream *stream, enum stream_state state) {
  struct stream **link = &channel->streams;
  while (*link != stream) link = &(*link)->next;
  *link = stream->next;
  channel->n_streams--;
  stream->state = state;
}

void break_connection(struct channel *channel, int code, const char *why) {
  if (channel->broken) return;
  channel->broken = true;
  channel->failure_code = code;
  snprintf(channel->failure, sizeof channel->failure, "%s", why);
  /* Wakes a polling leader. The descriptor stays open until the last reference is released. */
  shutdown(channel->fd, SHUT_RDWR);
  while (channel->streams) {
    struct stream *stream = channel->streams;
    end_stream(channel, stream, channel->sent >= stream->request_end ? STREAM_LOST : STREAM_UNSENT);
  }
}

static void break_by_errno(struct channel *channel, const char *what) {
  char why[128], text[80];
  strerror_r(errno, text, sizeof text);
  snprintf(why, sizeof why, "%s: %s", what, text);
  break_connection(channel, TWIND_UNAVAILABLE, why);
}

void kick_leader(struct channel *channel) {
  uint64_t one = 1;
  atomic_store(&channel->kicked, true);
  if (write(channel->kick, &one, sizeof one) < 0) return; /* its counter is full, so it is readable */
}

bool write_output(struct channel *channel) {
  size_t size = buffer_size(&channel->out);
  if (size == 0 || channel->broken) return false;
  ssize_t written = send(channel->fd, buffer_data(&channel->out), size, MSG_NOSIGNAL);
  if (written >= 0) {
    channel->sent += (uint64_t)written;
    buffer_consume(&channel->out, (size_t)written);
    return written > 0;
  }
  if (errno == EAGAIN || errno == EINTR) return false;
  if (channel->led) {
    kick_leader(channel); /* only the leader reads */
    return false;
  }
  int failure = errno;
  /* The daemon has closed the connection, but earlier replies can still be read. Reading the end breaks the channel. */
  while (read_input(channel)) continue;
  errno = failure;
  break_by_errno(channel, "cannot write to the daemon");
  return true;
}

static void take_reply(struct channel *channel, struct stream *stream, const struct frame *frame) {
  if (frame->type != FRAME_RESPONSE) return end_stream(channel, stream, STREAM_VIOLATED);
  bool kept = buffer_append(&stream->reply, frame->payload, frame->length);
  end_stream(channel, stream, kept ? STREAM_ANSWERED : STREAM_NO_MEMORY);
}

static void take_frame(struct channel *channel, const struct frame *frame) {
  if (frame->type != FRAME_RESPONSE && frame->type != FRAME_DATA) return;
  struct stream *stream = channel->streams;
  while (stream && stream->id != frame->stream) stream = stream->next;
  if (stream) take_reply(channel, stream, frame);
}

static void take_frames(struct channel *channel) {
  struct frame frame;
  enum frame_status status;
  while ((status = frame_peek(&channel->in, &frame)) == FRAME_WHOLE) {
    take_frame(channel, &frame);
    frame_consume(&channel->in, &frame);
  }
  if (status == FRAME_PARTIAL) return;
  char why[128];
  snprintf(why, sizeof why, "the daemon sent a frame of %u bytes; at most %d are allowed", frame.length,
           FRAME_PAYLOAD_BYTES_MAX);
  break_connection(channel, TWIND_UNAVAILABLE, why);
}

ssize_t receive_input(struct channel *channel) {
  struct buffer *in = &channel->in;
  if (!buffer_reserve(in, READ_BYTES_MIN)) return -ENOMEM;
  ssize_t count = recv(channel->fd, in->bytes + in->end, in->capacity - in->end, 0);
  if (count < 0) return -errno;
  in->end += (size_t)count;
  return count;
}

bool take_input(struct channel *channel, ssize_t received) {
  if (channel->broken) return false;
  if (received > 0) {
    take_frames(channel);
  } else if (received == 0) {
    break_connection(channel, TWIND_UNAVAILABLE, "the daemon closed the connection");
  } else if (received == -ENOMEM) {
    break_connection(channel, TWIND_RESOURCE_EXHAUSTED, "out of memory for the daemon's reply");
  } else if (received != -EAGAIN && received != -EINTR) {
    errno = (int)-received;
    break_by_errno(channel, "cannot read from the daemon");
  }
  return received > 0 && !channel->broken;
}

bool read_input(struct channel *channel) {
  return !channel->broken && take_input(channel, receive_input(channel));
}
