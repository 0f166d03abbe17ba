#pragma once

#include <cstddef>

namespace furrow {

/// Whether a call that touches `bytes` bytes in all should stream its output past the cache: reading a line only to overwrite it
/// would waste memory bandwidth where the result does not fit the cache anyway.
bool worth_streaming(std::size_t bytes);

/// Copies `bytes` bytes from `source`, which is in cache, to `target`, past the cache. No overlap; any alignment. stream_fence()
/// must follow on the same thread before another thread may read the target.
void stream_copy(void* target, const void* source, std::size_t bytes);

/// Makes streamed stores visible in order with later ones; once at the end of a task.
void stream_fence();

}  // namespace furrow
