// SwiftPM wants one source in a C target; the shims are in the header.
#include "CLinux.h"
