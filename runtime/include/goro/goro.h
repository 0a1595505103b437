// Everything: a Go-style goroutine runtime for C++.
#pragma once

#include "goro/channel.h"
#include "goro/context.h"
#include "goro/foreign_thread.h"
#include "goro/go.h"
#include "goro/lock_os_thread.h"
#include "goro/net.h"
#include "goro/panic.h"
#include "goro/pin_stack.h"
#include "goro/run.h"
#include "goro/select.h"
#include "goro/sync.h"
#include "goro/system_call.h"
#include "goro/system_stack.h"
#include "goro/time.h"
