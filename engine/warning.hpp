#pragma once

#include <string>

namespace furrow {

/// Receives every warning; must not throw and may be called from any thread.
using WarningHandler = void (*)(const char* message);

/// Replaces where warnings go (default: one line on standard error) and returns the handler before; nullptr silences them.
WarningHandler set_warning_handler(WarningHandler handler);

/// Hands `message` to the handler, once per process for each distinct message.
void warn_once(const std::string& message);

}  // namespace furrow
