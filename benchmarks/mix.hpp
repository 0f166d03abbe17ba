#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace furrow::bench {

/// What a program spends its time on, in the user's words: "uneven=3,sum=1". An entry is a kernel of the suite, a scenario or a
/// family of kernels, or "uneven" for `fractal` and "nested" for `nested_calls`; its weight is a positive number, of which only the
/// ratio to the others counts. All cases of an entry weigh as one. A kernel that is named itself does not count towards its family.
class Mix {
 public:
  struct Entry {
    std::string name;  ///< as it was written
    double weight = 1;
    std::string means;  ///< kernel or family
  };

  /// The mix of somebody who says nothing: each family weighs the same.
  Mix() = default;
  /// Throws Error if `text` is not of that form or names something unknown; the message lists what is known. An empty text is the
  /// mix of somebody who says nothing.
  explicit Mix(std::string_view text);

  bool empty() const { return entries_.empty(); }
  /// As it was written, without blanks.
  std::string text() const;

  /// The entry that a kernel counts towards; nothing if it is not in the mix.
  std::optional<Entry> entry_of(std::string_view kernel, std::string_view family) const;

 private:
  const Entry* find(std::string_view meaning) const;

  std::vector<Entry> entries_;
};

}  // namespace furrow::bench
