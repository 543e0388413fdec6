/* The list of registered objects, and the handlers of fork(). */
#include "process.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* held during fork(), so that the list is consistent */
static pthread_once_t registered = PTHREAD_ONCE_INIT;
static struct belonging *first;

static void before_fork(void) { pthread_mutex_lock(&lock); }

static void after_fork_in_parent(void) { pthread_mutex_unlock(&lock); }

static void after_fork_in_child(void) {
  for (struct belonging *belonging = first; belonging; belonging = belonging->next) belonging->enter_child(belonging);
  pthread_mutex_unlock(&lock);
}

static void register_handlers(void) { pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child); }

void belonging_add(struct belonging *belonging, void (*enter_child)(struct belonging *self)) {
  pthread_once(&registered, register_handlers);
  belonging->enter_child = enter_child;
  belonging->previous = NULL;
  pthread_mutex_lock(&lock);
  belonging->next = first;
  if (first) first->previous = belonging;
  first = belonging;
  pthread_mutex_unlock(&lock);
}

void belonging_remove(struct belonging *belonging) {
  pthread_mutex_lock(&lock);
  if (belonging->next) belonging->next->previous = belonging->previous;
  if (belonging->previous)
    belonging->previous->next = belonging->next;
  else
    first = belonging->next;
  pthread_mutex_unlock(&lock);
}
