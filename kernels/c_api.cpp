// furrow for C. It stands on the kernels, and so here; the engine's part is too small for a header of its own.
#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/engine/chunks.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/engine/warning.hpp"
#include "furrow/furrow.h"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/moments.hpp"
#include "furrow/kernels/random.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/scans.hpp"
#include "furrow/kernels/sorting.hpp"
#include "furrow/kernels/types.hpp"

struct furrow_engine {
  furrow::Engine engine;
  std::string backend;  // ends with a 0, which a string_view need not
};

namespace furrow {
namespace {

static_assert(FURROW_F32 == static_cast<int>(Type::f32) && FURROW_F64 == static_cast<int>(Type::f64) &&
              FURROW_I32 == static_cast<int>(Type::i32) && FURROW_I64 == static_cast<int>(Type::i64) &&
              FURROW_U8 == static_cast<int>(Type::u8) && kTypes.size() == 5);

class UnknownName : public Error {
 public:
  using Error::Error;
};
class BodyThrew : public Error {
 public:
  explicit BodyThrew(const std::string& what) : Error("furrow_for: the body threw: " + what) {}
};

// Without a destructor: what is called while a thread ends may fail too.
thread_local char last_error[1024] = "";

furrow_status failed(furrow_status status, const char* message) noexcept {
  const std::size_t length = std::min(std::strlen(message), sizeof last_error - 1);
  std::memcpy(last_error, message, length);
  last_error[length] = '\0';
  return status;
}

/// What call() comes to.
template <class Call>
furrow_status guarded(const Call& call) noexcept {
  try {
    call();
    return FURROW_OK;
  } catch (const UnknownName& error) {
    return failed(FURROW_UNKNOWN_NAME, error.what());
  } catch (const BodyThrew& error) {
    return failed(FURROW_BODY_THREW, error.what());
  } catch (const Error& error) {
    return failed(FURROW_INVALID_ARGUMENT, error.what());
  } catch (const std::bad_alloc&) {
    return failed(FURROW_OUT_OF_MEMORY, "out of memory; give smaller arrays or free some");
  } catch (const std::exception& error) {
    return failed(FURROW_INTERNAL_ERROR, error.what());
  } catch (...) {
    return failed(FURROW_INTERNAL_ERROR, "an unknown exception");
  }
}

Engine& engine_of(furrow_engine* engine) {
  if (engine == nullptr) fail("the engine is NULL; make one by furrow_engine_create()");
  return engine->engine;
}

std::string_view name_of(const char* name) {
  if (name == nullptr) fail("the kernel's name is NULL");
  return name;
}

/// f(TypeTag<T>{}) for the type that a C program names, once n elements of it are known to be possible.
template <class F>
void with_elements(furrow_type type, std::size_t n, const F& f) {
  const auto index = static_cast<std::size_t>(type);
  if (index >= kTypes.size()) fail("there is no type " + std::to_string(index) + "; give FURROW_F32 to FURROW_U8");
  with_type(kTypes[index], [&]<class T>(TypeTag<T> tag) {
    if (n > PTRDIFF_MAX / sizeof(T)) fail(std::to_string(n) + " elements are more than memory has room for");
    f(tag);
  });
}

template <class T>
std::span<const T> input(const void* data, std::size_t n) {
  return as_span(std::span(static_cast<const T*>(data), n));
}
template <class T>
std::span<T> output(void* data, std::size_t n) {
  return as_span(std::span(static_cast<T*>(data), n));
}
template <class T>
T value_at(const void* value) {
  if (value == nullptr) fail("the pointer to a single value is NULL");
  T copy;
  std::memcpy(&copy, value, sizeof copy);
  return copy;
}

/// Where a reduction leaves its result.
struct Result {
  void* room;
  std::size_t bytes;

  template <class R>
  void expect() const {
    if (room == nullptr) fail("the pointer to the result is NULL");
    if (bytes != sizeof(R))
      fail("the result has " + std::to_string(sizeof(R)) + " bytes, and there is room for " + std::to_string(bytes) +
           "; see furrow_reduce() for its type");
  }
  template <class R>
  void set(R result) const {
    std::memcpy(room, &result, sizeof result);
  }
};

[[noreturn]] void no_kernel(const char* call, std::string_view name, std::string_view type, const std::string& known) {
  throw UnknownName(std::string(call) + ": there is no kernel \"" + std::string(name) + "\" over " + std::string(type) +
                    "; there are: " + known);
}

struct Reduction {
  std::string_view name;
  /// Whether it is one of this type; then also runs it, unless `engine` is null.
  bool (*run)(Engine* engine, Type type, const void* x, std::size_t n, const Result& to);
};

template <auto f>
bool reduce_by(Engine* engine, Type type, const void* x, std::size_t n, const Result& to) {
  return with_type(type, [&]<class T>(TypeTag<T>) {
    if constexpr (requires(std::span<const T> in) { f(*engine, in); }) {
      if (engine == nullptr) return true;
      const std::span<const T> in = input<T>(x, n);
      to.expect<decltype(f(*engine, in))>();
      to.set(f(*engine, in));
      return true;
    }
    return false;
  });
}

constexpr Reduction kReductions[] = {
    {"sum", reduce_by<[](Engine& e, auto x) -> decltype(sum(e, x)) { return sum(e, x); }>},
    {"min", reduce_by<[](Engine& e, auto x) -> decltype(min(e, x)) { return min(e, x); }>},
    {"max", reduce_by<[](Engine& e, auto x) -> decltype(max(e, x)) { return max(e, x); }>},
    {"argmin", reduce_by<[](Engine& e, auto x) -> decltype(argmin(e, x)) { return argmin(e, x); }>},
    {"argmax", reduce_by<[](Engine& e, auto x) -> decltype(argmax(e, x)) { return argmax(e, x); }>},
    {"norm1", reduce_by<[](Engine& e, auto x) -> decltype(norm1(e, x)) { return norm1(e, x); }>},
    {"norm2", reduce_by<[](Engine& e, auto x) -> decltype(norm2(e, x)) { return norm2(e, x); }>},
    {"norm_inf", reduce_by<[](Engine& e, auto x) -> decltype(norm_inf(e, x)) { return norm_inf(e, x); }>},
    {"mean", reduce_by<[](Engine& e, auto x) -> decltype(mean(e, x)) { return mean(e, x); }>},
    {"variance", reduce_by<[](Engine& e, auto x) -> decltype(variance(e, x)) { return variance(e, x); }>},
};

// The element-wise kernels of C are those of named::Op and of the mathematical functions, by the operands that they take.

constexpr bool takes_scalar(named::Op op) {
  return op == named::Op::fill || op == named::Op::axpy || op == named::Op::triad;
}
template <class T>
constexpr bool has(named::Op op) {
  return op != named::Op::sqrt || std::is_floating_point_v<T>;
}

template <class T>
void map(Engine& engine, named::Op op, std::size_t n, const void* a, const void* b, T s, void* out) {
  const std::span<T> to = output<T>(out, n);
  named::map<T>(engine, op, reads_a(op) ? input<T>(a, n) : std::span<const T>(),
                reads_b(op) ? input<T>(b, n) : std::span<const T>(), s, to);
}

/// Runs the kernel called `name` of one operand or two; evaluate(f) runs the mathematical function f out of `functions`.
template <class T, class F, class Functions, class Evaluate>
void map_by_name(Engine& engine, const char* call, std::string_view name, bool two, std::size_t n, const void* a, const void* b,
                 void* out, const Functions& functions, F, const Evaluate& evaluate) {
  std::string known;
  const auto is_asked_for = [&](std::string_view each) {
    known += (known.empty() ? "" : ", ") + std::string(each);
    return each == name;
  };
  for (std::size_t k = 0; k < named::kOpNames.size(); ++k) {
    const auto op = static_cast<named::Op>(k);
    if (takes_scalar(op) || reads_b(op) != two || !has<T>(op)) continue;
    if (is_asked_for(named::kOpNames[k])) return map<T>(engine, op, n, a, b, T{}, out);
  }
  if constexpr (std::is_floating_point_v<T>)
    for (std::size_t k = 0; k < functions.size(); ++k)
      if (is_asked_for(functions[k])) return evaluate(static_cast<F>(k));
  no_kernel(call, name, type_code(type_of<T>), known);
}

/// furrow_uniform and furrow_normal.
template <class Fill>
furrow_status fill_at_random(furrow_engine* engine, furrow_type type, std::size_t n, void* out, const Fill& fill_with) noexcept {
  return guarded([&] {
    Engine& e = engine_of(engine);
    with_elements(type, n, [&]<class T>(TypeTag<T>) {
      if constexpr (std::is_floating_point_v<T>)
        fill_with(e, output<T>(out, n));
      else
        throw UnknownName("there are no such random numbers over " + std::string(type_code(type_of<T>)) +
                          "; give FURROW_F32 or FURROW_F64");
    });
  });
}

}  // namespace
}  // namespace furrow

using namespace furrow;  // NOLINT(google-build-using-namespace): what follows is C

const char* furrow_version(void) {
  return FURROW_VERSION;
}

const char* furrow_last_error(void) {
  return last_error;
}

void furrow_set_warning_handler(void (*handler)(const char* message)) {
  set_warning_handler(handler);
}

const char* furrow_backend(size_t index) {
  const char* name = nullptr;
  guarded([&] {
    static std::mutex mutex;
    static auto& names = *new std::set<std::string>;  // never destroyed: callers keep pointers
    const std::vector<std::string> all = backends();
    const std::lock_guard lock(mutex);
    if (index < all.size()) name = names.insert(all[index]).first->c_str();
  });
  return name;
}

furrow_status furrow_engine_create(const char* backend, int concurrency, furrow_engine** engine) {
  return guarded([&] {
    if (engine == nullptr) fail("furrow_engine_create: the pointer to the engine is NULL");
    *engine = nullptr;
    if (backend == nullptr) {
      Engine made({.concurrency = concurrency});
      std::string name(made.backend());
      *engine = new furrow_engine{std::move(made), std::move(name)};
      return;
    }
    if (!std::ranges::count(backends(), std::string_view(backend))) try {
        make_backend(backend, 1);  // for its message
      } catch (const Error& error) {
        throw UnknownName(error.what());
      }
    *engine = new furrow_engine{Engine(std::string_view(backend), {.concurrency = concurrency}), backend};
  });
}

void furrow_engine_destroy(furrow_engine* engine) {
  delete engine;
}

const char* furrow_engine_backend(const furrow_engine* engine) {
  return engine != nullptr ? engine->backend.c_str() : "";
}

int furrow_engine_concurrency(const furrow_engine* engine) {
  return engine != nullptr ? engine->engine.concurrency() : 0;
}

int furrow_engine_last_threads(const furrow_engine* engine) {
  return engine != nullptr ? engine->engine.last_run().threads : 0;
}

furrow_status furrow_fill(furrow_engine* engine, furrow_type type, size_t n, const void* value, void* out) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    with_elements(type, n,
                  [&]<class T>(TypeTag<T>) { furrow::map<T>(e, named::Op::fill, n, nullptr, nullptr, value_at<T>(value), out); });
  });
}

furrow_status furrow_unary(furrow_engine* engine, const char* name, furrow_type type, size_t n, const void* in, void* out) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    with_elements(type, n, [&]<class T>(TypeTag<T>) {
      map_by_name<T>(e, "furrow_unary", name_of(name), false, n, in, nullptr, out, named::kUnaryNames, named::Unary(),
                     [&](named::Unary f) {
                       if constexpr (std::is_floating_point_v<T>) named::evaluate<T>(e, f, input<T>(in, n), output<T>(out, n));
                     });
    });
  });
}

furrow_status furrow_binary(furrow_engine* engine, const char* name, furrow_type type, size_t n, const void* a, const void* b,
                            void* out) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    with_elements(type, n, [&]<class T>(TypeTag<T>) {
      map_by_name<T>(e, "furrow_binary", name_of(name), true, n, a, b, out, named::kBinaryNames, named::Binary(),
                     [&](named::Binary f) {
                       if constexpr (std::is_floating_point_v<T>)
                         named::evaluate<T>(e, f, input<T>(a, n), input<T>(b, n), output<T>(out, n));
                     });
    });
  });
}

furrow_status furrow_axpy(furrow_engine* engine, furrow_type type, size_t n, const void* scale, const void* x, void* y) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    with_elements(type, n, [&]<class T>(TypeTag<T>) { furrow::map<T>(e, named::Op::axpy, n, x, y, value_at<T>(scale), y); });
  });
}

furrow_status furrow_triad(furrow_engine* engine, furrow_type type, size_t n, const void* a, const void* b, const void* scale,
                           void* out) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    with_elements(type, n, [&]<class T>(TypeTag<T>) { furrow::map<T>(e, named::Op::triad, n, a, b, value_at<T>(scale), out); });
  });
}

furrow_status furrow_reduce(furrow_engine* engine, const char* name, furrow_type type, size_t n, const void* x, void* result,
                            size_t result_bytes) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    const std::string_view wanted = name_of(name);
    with_elements(type, n, [&]<class T>(TypeTag<T>) {
      const Result to{result, result_bytes};
      std::string known;
      for (const Reduction& each : kReductions) {
        if (each.name == wanted && each.run(&e, type_of<T>, x, n, to)) return;
        if (each.run(nullptr, type_of<T>, nullptr, 0, to)) known += (known.empty() ? "" : ", ") + std::string(each.name);
      }
      no_kernel("furrow_reduce", wanted, type_code(type_of<T>), known);
    });
  });
}

furrow_status furrow_dot(furrow_engine* engine, furrow_type type, size_t n, const void* x, const void* y, void* result,
                         size_t result_bytes) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    with_elements(type, n, [&]<class T>(TypeTag<T>) {
      const Result to{result, result_bytes};
      to.expect<sum_t<T>>();
      to.set(dot(e, input<T>(x, n), input<T>(y, n)));
    });
  });
}

furrow_status furrow_inclusive_scan(furrow_engine* engine, furrow_type type, size_t n, const void* in, void* out) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    with_elements(type, n, [&]<class T>(TypeTag<T>) { inclusive_scan(e, input<T>(in, n), output<T>(out, n)); });
  });
}

furrow_status furrow_exclusive_scan(furrow_engine* engine, furrow_type type, size_t n, const void* in, const void* init,
                                    void* out) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    with_elements(type, n, [&]<class T>(TypeTag<T>) {
      const T first = value_at<T>(init);
      exclusive_scan(e, input<T>(in, n), output<T>(out, n), first);
    });
  });
}

furrow_status furrow_sort(furrow_engine* engine, furrow_type type, size_t n, void* x) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    with_elements(type, n, [&]<class T>(TypeTag<T>) { sort(e, output<T>(x, n)); });
  });
}

furrow_status furrow_uniform(furrow_engine* engine, furrow_type type, size_t n, uint64_t seed, uint64_t stream, uint64_t offset,
                             double low, double high, void* out) {
  return fill_at_random(engine, type, n, out, [&]<class T>(Engine& e, std::span<T> to) {
    uniform(e, to, {seed, stream, offset}, static_cast<T>(low), static_cast<T>(high));
  });
}

furrow_status furrow_normal(furrow_engine* engine, furrow_type type, size_t n, uint64_t seed, uint64_t stream, uint64_t offset,
                            double mean, double deviation, void* out) {
  return fill_at_random(engine, type, n, out, [&]<class T>(Engine& e, std::span<T> to) {
    normal(e, to, {seed, stream, offset}, static_cast<T>(mean), static_cast<T>(deviation));
  });
}

furrow_status furrow_for(furrow_engine* engine, size_t n, size_t grain, void (*body)(size_t first, size_t last, void* context),
                         void* context) {
  return guarded([&] {
    Engine& e = engine_of(engine);
    if (body == nullptr) fail("furrow_for: the body is NULL");
    const auto call = [=](std::size_t first, std::size_t last) {
      try {
        body(first, last, context);
      } catch (const std::exception& error) {
        throw BodyThrew(error.what());
      } catch (...) {
        throw BodyThrew("an unknown exception");
      }
    };
    if (grain > 0) {
      const std::size_t pieces = n / grain + (n % grain != 0);
      return e.bulk(pieces, [&](std::size_t piece) {
        const std::size_t first = piece * grain;
        call(first, first + std::min(grain, n - first));
      });
    }
    // Bodies are all of one type, and their costs not to be mixed up: each call learns its own.
    Cost cost;
    const Chunks chunks(n, sizeof(double));
    e.over_chunks(chunks, cost, [&call, chunks](std::size_t first, std::size_t last) {
      const Range part = chunks.elements(first, last);
      call(part.begin, part.end);
    });
  });
}
