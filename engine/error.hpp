#pragma once

#include <stdexcept>
#include <string>

namespace furrow {

/// What furrow throws when a call cannot be carried out as asked: sizes that differ, outputs that overlap inputs partly, unknown
/// names, broken files. The message says what to do about it. Outputs are untouched unless the message says otherwise.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown out of a call whose std::stop_token was triggered before all its work was done. Outputs are partly written.
class Cancelled : public Error {
 public:
  Cancelled() : Error("cancelled: a stop was requested before the call had finished; its outputs are incomplete") {}
};

/// Throws Error(message). Out of line, so that checks cost their callers a compare and a jump.
[[noreturn]] void fail(const std::string& message);

}  // namespace furrow
