// Linux calls of a load generator.

#define _GNU_SOURCE
#include "CBench.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int bench_pin_thread(int thread, int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (core < 0 || core >= CPU_SETSIZE) return EINVAL;
  CPU_SET((size_t)core, &cores);
  return sched_setaffinity(thread, sizeof cores, &cores) == 0 ? 0 : errno;
}

void bench_sharpen_timers(void) { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

void bench_sleep_until(uint64_t nanos) {
  struct timespec moment = {(time_t)(nanos / 1000000000u), (long)(nanos % 1000000000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) == EINTR) continue;
}

uint64_t bench_raise_open_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

int bench_epoll_wait(int epoll, uint64_t deadline_nanos, uint64_t *tokens, int room) {
  struct epoll_event events[256];
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t nanos = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  uint64_t rest = deadline_nanos > nanos ? deadline_nanos - nanos : 0;
  struct timespec timeout = {(time_t)(rest / 1000000000u), (long)(rest % 1000000000u)};
  int count = epoll_pwait2(epoll, events, room < 256 ? room : 256, deadline_nanos == UINT64_MAX ? NULL : &timeout, NULL);
  for (int index = 0; index < count; index++) tokens[index] = events[index].data.u64;
  return count < 0 && errno == EINTR ? 0 : count;
}

uint64_t bench_stamp(const uint8_t *bytes, size_t count) {
  static const char word[] = "stamp:";
  const uint8_t *at = memmem(bytes, count, word, sizeof word - 1);
  if (!at || (size_t)(bytes + count - at) < sizeof word - 1 + 16) return 0;
  uint64_t moment = 0;
  for (int digit = 0; digit < 16; digit++) {
    uint8_t byte = at[sizeof word - 1 + digit];
    moment = moment << 4 | (uint64_t)(byte <= '9' ? byte - '0' : byte - 'a' + 10);
  }
  return moment;
}
