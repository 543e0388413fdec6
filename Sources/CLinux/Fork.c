// What fork() does with sockets that belong to the process that opened them.
#include "CLinux.h"

#include <stdatomic.h>

enum { SOCKETS_MAX = 1 << 16 };

static _Atomic uint64_t owned[SOCKETS_MAX / 64];
uint32_t twind_generation;

static void enter_child(void) {
  __atomic_fetch_add(&twind_generation, 1, __ATOMIC_RELAXED);
  for (int word = 0; word < SOCKETS_MAX / 64; word++)
    for (uint64_t bits = atomic_exchange(&owned[word], 0); bits; bits &= bits - 1)
      close(word * 64 + __builtin_ctzll(bits));
}

__attribute__((constructor)) static void handle_forks(void) { pthread_atfork(NULL, NULL, enter_child); }

void twind_own_socket(int fd) {
  if (fd < SOCKETS_MAX) atomic_fetch_or(&owned[fd / 64], UINT64_C(1) << fd % 64);
}

void twind_close_own_socket(int fd) {
  if (fd < SOCKETS_MAX) atomic_fetch_and(&owned[fd / 64], ~(UINT64_C(1) << fd % 64));
  close(fd);
}
