/* The real daemon for a test: started on a temporary socket and data folder, ended when the test ends. */
#ifndef TWIND_DAEMON_H
#define TWIND_DAEMON_H

#include <twind/twind.h>

/* Starts the program that $TWIND names, else the repository's release build; ends the test with a clear message
 * when there is none, or when it does not serve within 15 s. */
void daemon_start(void);
/* Asks it to end (SIGTERM) and checks that it does, with status 0. */
void daemon_stop(void);

/* A new client of it. */
twind_client *daemon_client(const char *agent);

#endif
