// Signals as a request to finish the step, save and end.
#pragma once

#include <string>

namespace relic {

/// From now on SIGINT, SIGTERM, SIGUSR1, SIGUSR2 and, unless nohup has it ignored, SIGHUP only set a flag; on a
/// terminal the first SIGINT is answered. SIGPIPE and SIGXFSZ (a file over its size limit) are ignored, so that the
/// write fails and is told of. A second SIGINT ends the program at once.
void catch_stop_signals();
bool stop_requested();
/// The exit status a shell expects, 130 after SIGINT, 143 after SIGTERM; 75, to be queued again, after SIGUSR1 and
/// SIGUSR2.
int stop_status();
/// "SIGTERM": the signal that the status is of.
std::string stop_name();

}  // namespace relic
