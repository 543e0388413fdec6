/* The whole library: read, write and watch customers' twins. See README.md. */
#ifndef TWIND_TWIND_H
#define TWIND_TWIND_H

#include <twind/admin_service.h>
#include <twind/session_service.h>
#include <twind/call.h>
#include <twind/client.h>
#include <twind/error.h>
#include <twind/health.h>
#include <twind/twin_service.h>
#include <twind/v1/errors.pb-c.h>
#include <twind/value.h>
#include <twind/watch.h>
#include <twind/write.h>

#endif
