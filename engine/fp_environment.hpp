#pragma once

#include <cfenv>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace furrow {

/// Rounding mode, FTZ/DAZ and exception masks of a thread; not the sticky exception flags.
class FpEnvironment {
 public:
#if defined(__SSE2__)
  /// That of this thread.
  static FpEnvironment current() {
    FpEnvironment here;
    here.mxcsr_ = _mm_getcsr() & kControl;
    asm volatile("fnstcw %0" : "=m"(here.x87_));  // long double still uses the x87 unit
    return here;
  }
  /// Sets it for this thread.
  void apply() const {
    _mm_setcsr((_mm_getcsr() & ~kControl) | mxcsr_);
    asm volatile("fldcw %0" : : "m"(x87_));
  }
  /// Whether both round alike and treat denormals alike.
  friend bool operator==(const FpEnvironment& a, const FpEnvironment& b) = default;

 private:
  static constexpr unsigned kControl = 0xFFC0;  // all but the six sticky flags
  unsigned mxcsr_ = 0;
  unsigned short x87_ = 0;
#else
  /// That of this thread.
  static FpEnvironment current() {
    FpEnvironment here;
    here.rounding_ = std::fegetround();
    return here;
  }
  /// Sets it for this thread.
  void apply() const {
    std::fesetround(rounding_);
  }
  /// Whether both round alike and treat denormals alike.
  friend bool operator==(const FpEnvironment& a, const FpEnvironment& b) = default;

 private:
  int rounding_ = 0;
#endif
};

/// Applies `wanted` to this thread for its lifetime; costs two reads where it already holds.
class FpScope {
 public:
  /// Applies it; the destructor applies what held before.
  explicit FpScope(const FpEnvironment& wanted) : before_(FpEnvironment::current()), changed_(!(before_ == wanted)) {
    if (changed_) wanted.apply();
  }
  ~FpScope() {
    if (changed_) before_.apply();
  }
  FpScope(const FpScope&) = delete;
  FpScope& operator=(const FpScope&) = delete;

 private:
  FpEnvironment before_;
  bool changed_;
};

}  // namespace furrow
