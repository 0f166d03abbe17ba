#ifndef FURROW_FURROW_H
#define FURROW_FURROW_H

#include <stddef.h>
#include <stdint.h>

// furrow for C (C99), and for what calls C. No exception leaves these functions: each says by a code what it came to, and
// furrow_last_error() says why. They are the kernels of <furrow/furrow.hpp>, with the same bits; its headers say what each
// computes.
//
// Arrays are n elements of `type` side by side. An output may be the very same array as an input, otherwise they must not overlap;
// n == 0 is fine, and pointers may then be NULL. Single values (`value`, `scale`, `init`) are passed by a pointer to one element of
// `type`, which is read before the call returns. After a code other than FURROW_OK outputs are untouched, but for
// FURROW_OUT_OF_MEMORY and FURROW_BODY_THREW, after which they are incomplete.

#ifdef __cplusplus
extern "C" {
#endif

/// What a call came to.
typedef enum furrow_status {
  FURROW_OK = 0,
  FURROW_INVALID_ARGUMENT = 1,  ///< NULL or unaligned pointers, arrays that overlap partly or exceed memory, values out of range
  FURROW_UNKNOWN_NAME = 2,      ///< no backend or kernel of that name, or none for that type; the message lists those there are
  FURROW_OUT_OF_MEMORY = 3,
  FURROW_BODY_THREW = 4,  ///< the body given to furrow_for is C++ and threw an exception
  FURROW_INTERNAL_ERROR = 5
} furrow_status;

/// The types of elements.
typedef enum furrow_type {
  FURROW_F32 = 0,  ///< float
  FURROW_F64 = 1,  ///< double
  FURROW_I32 = 2,  ///< int32_t
  FURROW_I64 = 3,  ///< int64_t
  FURROW_U8 = 4    ///< uint8_t
} furrow_type;

/// A backend with its threads. May be used from several threads at once.
typedef struct furrow_engine furrow_engine;

/// "0.1.0".
const char* furrow_version(void);

/// Why the calling thread's latest call that failed did so, as a sentence that says what to do, cut off after 1023 bytes; empty if
/// none has. Calls that succeed leave it alone. Valid until the thread's next failure.
const char* furrow_last_error(void);

/// Hands warnings to `handler`, which may be called from any thread and must not throw, instead of standard error; NULL silences
/// them.
void furrow_set_warning_handler(void (*handler)(const char* message));

/// The name of a backend of this process, "serial" for index 0; NULL behind the last. Valid for ever.
const char* furrow_backend(size_t index);

/// Makes an engine and stores it in *engine, or NULL there if that fails. `backend` NULL: the one that $FURROW_BACKEND names, else
/// the one that this machine's tuning file picked, else the first parallel one. `concurrency` is the most threads a call may use,
/// the caller's among them; 0: $FURROW_NUM_THREADS, else $OMP_NUM_THREADS, else the cores this process may use.
furrow_status furrow_engine_create(const char* backend, int concurrency, furrow_engine** engine);

/// Ends an engine that is not in use; NULL is fine.
void furrow_engine_destroy(furrow_engine* engine);

/// The name of the engine's backend, valid as long as the engine; "" for NULL.
const char* furrow_engine_backend(const furrow_engine* engine);

/// The most threads a call may use; 0 for NULL.
int furrow_engine_concurrency(const furrow_engine* engine);

/// How many threads took part in the engine's latest call; 0 if there was none, and for NULL.
int furrow_engine_last_threads(const furrow_engine* engine);

/// out[i] = *value.
furrow_status furrow_fill(furrow_engine* engine, furrow_type type, size_t n, const void* value, void* out);

/// out[i] = name(in[i]): "copy", "abs", "neg", "square" of all types; of F32 and F64 also "sqrt" and the functions of
/// <furrow/kernels/math.hpp>, "exp" to "tanh".
furrow_status furrow_unary(furrow_engine* engine, const char* name, furrow_type type, size_t n, const void* in, void* out);

/// out[i] = name(a[i], b[i]): "add", "sub", "mul", "div", "minimum", "maximum" of all types; of F32 and F64 also "pow", "atan2",
/// "hypot".
furrow_status furrow_binary(furrow_engine* engine, const char* name, furrow_type type, size_t n, const void* a, const void* b,
                            void* out);

/// y[i] = *scale * x[i] + y[i].
furrow_status furrow_axpy(furrow_engine* engine, furrow_type type, size_t n, const void* scale, const void* x, void* y);

/// out[i] = a[i] + *scale * b[i].
furrow_status furrow_triad(furrow_engine* engine, furrow_type type, size_t n, const void* a, const void* b, const void* scale,
                           void* out);

/// Reduces x by "sum", "min", "max", "argmin", "argmax", "mean", "variance", or of F32 and F64 "norm1", "norm2", "norm_inf". The
/// result is of `type`, but that of "sum" of integers is an int64_t, of "mean" and "variance" a double, of "argmin" and "argmax" a
/// size_t, the lowest index. It is written to *result, whose size is given as well: another than the result's is refused. So is n
/// == 0 where there is no result.
furrow_status furrow_reduce(furrow_engine* engine, const char* name, furrow_type type, size_t n, const void* x, void* result,
                            size_t result_bytes);

/// The sum of x[i] * y[i], an int64_t for integers, else of `type`, in *result.
furrow_status furrow_dot(furrow_engine* engine, furrow_type type, size_t n, const void* x, const void* y, void* result,
                         size_t result_bytes);

/// out[i] = in[0] + ... + in[i].
furrow_status furrow_inclusive_scan(furrow_engine* engine, furrow_type type, size_t n, const void* in, void* out);

/// out[i] = *init + in[0] + ... + in[i - 1].
furrow_status furrow_exclusive_scan(furrow_engine* engine, furrow_type type, size_t n, const void* in, const void* init, void* out);

/// Sorts x in ascending order, -0 before +0 and NaN last. Takes a buffer of the size of x.
furrow_status furrow_sort(furrow_engine* engine, furrow_type type, size_t n, void* x);

/// out[i] = number offset + i of this seed and stream, evenly in [low, high). F32 and F64 only.
furrow_status furrow_uniform(furrow_engine* engine, furrow_type type, size_t n, uint64_t seed, uint64_t stream, uint64_t offset,
                             double low, double high, void* out);

/// The same, normally distributed.
furrow_status furrow_normal(furrow_engine* engine, furrow_type type, size_t n, uint64_t seed, uint64_t stream, uint64_t offset,
                            double mean, double deviation, void* out);

/// Covers [0, n) by calls body(first, last, context) for the indices first to last - 1, each index once, in any order, possibly at
/// once on several threads; returns when all are done. `grain` is the most indices of one call, and then all threads take part; 0:
/// neighbours as suits the engine, which begins on the calling thread and goes on with all of them where that pays. The body may
/// call furrow, and must not leave by longjmp.
furrow_status furrow_for(furrow_engine* engine, size_t n, size_t grain, void (*body)(size_t first, size_t last, void* context),
                         void* context);

#ifdef __cplusplus
}
#endif

#endif
