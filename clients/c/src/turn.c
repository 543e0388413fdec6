/* Leader and followers. */
#define _GNU_SOURCE
#include "turn.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "clock.h"
#include "traffic.h"

enum {
  TRIES_PER_CLOCK = 8, /* how many attempts to read between looks at the clock */
  VAIN_WAITS_MAX = 8,  /* after this many in a row, spinning is not worth a core ... */
  WAITS_PER_SPIN = 64, /* ... and only one wait in this many spins, to notice when that changes */
};

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

/* Lets the core's other hardware thread run, and saves power. */
static inline void pause_spinning(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Tries to read until data arrives, the time is up, or the leader is kicked. Called without the lock. Returns what
 * receive_input returns. */
static ssize_t spin(struct channel *channel, int64_t limit) {
  for (unsigned tries = 1;; tries++) {
    ssize_t received = receive_input(channel);
    if (received != -EAGAIN || atomic_load(&channel->kicked)) return received;
    if (tries % TRIES_PER_CLOCK == 0 && deadline_passed(limit)) return received;
    pause_spinning();
  }
}

/* With output pending the leader must also wait for room to write, which only ppoll can do. */
static bool may_spin(const struct channel *channel) {
  return channel->busy_poll_nanos > 0 && buffer_size(&channel->out) == 0 &&
         (channel->vain_waits < VAIN_WAITS_MAX || channel->vain_waits % WAITS_PER_SPIN == 0);
}

/* Waits for input on behalf of all threads: spins first, then sleeps. wait_until then writes pending output. */
static void lead(struct channel *channel, int64_t deadline) {
  short output = buffer_size(&channel->out) > 0 ? POLLOUT : 0;
  struct pollfd polled[2] = {
      {.fd = channel->fd, .events = (short)(POLLIN | output)},
      {.fd = channel->kick, .events = POLLIN},
  };
  struct timespec left;
  bool spins = may_spin(channel);
  atomic_store(&channel->kicked, false);
  channel->led = true;
  pthread_mutex_unlock(&channel->lock);
  int64_t limit = spins ? earlier(deadline, deadline_after(channel->busy_poll_nanos)) : 0;
  ssize_t received = spins ? spin(channel, limit) : -EAGAIN;
  bool found = received != -EAGAIN;
  int ready = found ? 0 : ppoll(polled, 2, time_left(deadline, &left), NULL);
  pthread_mutex_lock(&channel->lock);
  channel->led = false;
  if (found)
    channel->vain_waits = 0;
  else if (!output)
    channel->vain_waits++;
  if (!found && ready <= 0) return;
  uint64_t kicks;
  if (polled[1].revents && read(channel->kick, &kicks, sizeof kicks) < 0) return;
  if (found) take_input(channel, received);
  if (polled[0].revents & ~POLLOUT) read_input(channel);
  wake_those_ready(channel);
}

/* Sleeps until the leader finds that the condition is true, or stops leading. */
static void follow(struct channel *channel, turn_condition condition, const struct stream *stream, int64_t deadline) {
  /* The leader waits for room to write only if there was output when it began. */
  if (buffer_size(&channel->out) > 0) kick_leader(channel);

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

  for (link = &channel->waiters; *link && *link != &self;) link = &(*link)->next;
  if (*link) *link = self.next; /* in a child the list is empty */
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
  /* A thread that leaves makes sure that another one reads: a woken follower whose condition is false becomes
   * leader. */
  if (!channel->led && channel->waiters) pthread_cond_signal(&channel->waiters->wake);
  return holds;
}
