/* Leader and followers. */
#define _GNU_SOURCE
#include "turn.h"

#include <poll.h>
#include <unistd.h>

#include "clock.h"
#include "traffic.h"

struct waiter {
  pthread_cond_t wake;
  turn_condition condition;
  const struct stream *stream;
  struct waiter *next;
};

void wake_those_ready(struct channel *channel) {
  for (struct waiter *waiter = channel->waiters; waiter; waiter = waiter->next)
    if (waiter->condition(channel, waiter->stream)) pthread_cond_signal(&waiter->wake);
}

/* Polls for all. What can be written is written by wait_until, which looks after each turn. */
static void lead(struct channel *channel, int64_t deadline) {
  short output = buffer_size(&channel->out) > 0 ? POLLOUT : 0;
  struct pollfd polled[2] = {
      {.fd = channel->fd, .events = (short)(POLLIN | output)},
      {.fd = channel->kick, .events = POLLIN},
  };
  struct timespec left;
  channel->led = true;
  pthread_mutex_unlock(&channel->lock);
  int ready = ppoll(polled, 2, time_left(deadline, &left), NULL);
  pthread_mutex_lock(&channel->lock);
  channel->led = false;
  if (ready <= 0) return;
  uint64_t kicks;
  if (polled[1].revents && read(channel->kick, &kicks, sizeof kicks) < 0) return;
  if (polled[0].revents & ~POLLOUT) read_input(channel);
  wake_those_ready(channel);
}

/* Sleeps until the leader finds that the condition holds, or leaves. */
static void follow(struct channel *channel, turn_condition condition, const struct stream *stream, int64_t deadline) {
  /* The leader polls for room to write only if there was output when it began. */
  uint64_t one = 1;
  if (buffer_size(&channel->out) > 0 && write(channel->kick, &one, sizeof one) < 0) return;

  struct waiter self = {.condition = condition, .stream = stream};
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&self.wake, &monotonic);
  pthread_condattr_destroy(&monotonic);
  struct waiter **link = &channel->waiters;
  while (*link) link = &(*link)->next;
  *link = &self;

  if (deadline == NO_DEADLINE) {
    pthread_cond_wait(&self.wake, &channel->lock);
  } else {
    struct timespec until = timespec_of(deadline);
    pthread_cond_timedwait(&self.wake, &channel->lock, &until);
  }

  for (link = &channel->waiters; *link != &self;) link = &(*link)->next;
  *link = self.next;
  pthread_cond_destroy(&self.wake);
}

bool wait_until(struct channel *channel, turn_condition condition, const struct stream *stream, int64_t deadline) {
  bool holds;
  while (!(holds = condition(channel, stream)) && !deadline_passed(deadline)) {
    if (write_output(channel))
      wake_those_ready(channel);
    else if (channel->led)
      follow(channel, condition, stream, deadline);
    else
      lead(channel, deadline);
  }
  /* Whoever leaves sees to it that somebody reads: a woken follower whose condition does not hold leads. */
  if (!channel->led && channel->waiters) pthread_cond_signal(&channel->waiters->wake);
  return holds;
}
