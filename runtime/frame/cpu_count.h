#pragma once

namespace goro {

// Ps for a run that asks for none: the processors this process may use, cgroup quota counted in.
int default_procs();

}  // namespace goro
