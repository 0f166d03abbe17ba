#pragma once

namespace furrow {

/// A length of time: any std::chrono::duration. (`<chrono>` would be a tenth of what furrow's headers cost to compile.)
class Duration {
 public:
  /// So many seconds.
  constexpr explicit Duration(double seconds) : seconds_(seconds) {}
  /// The same time.
  template <class Time>
  requires requires(const Time& time) { time.count() * Time::period::num / Time::period::den; }
  constexpr Duration(const Time& time)  // NOLINT(google-explicit-constructor): a parameter type
      : seconds_(static_cast<double>(time.count()) * static_cast<double>(Time::period::num) /
                 static_cast<double>(Time::period::den)) {}

  /// In seconds.
  constexpr double seconds() const { return seconds_; }

 private:
  double seconds_;
};

}  // namespace furrow
