// furrow from C: the integral of exp(-x*x) over [-3, 3] by points drawn at random, on every backend, with the same bits.
#include <furrow/furrow.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(call)                                 \
  do {                                              \
    if ((call) != FURROW_OK) {                      \
      fprintf(stderr, "%s\n", furrow_last_error()); \
      exit(1);                                      \
    }                                               \
  } while (0)

// A loop of one's own.
static void negate_squares(size_t first, size_t last, void* context) {
  double* const x = context;
  for (size_t i = first; i < last; ++i) x[i] = -(x[i] * x[i]);
}

static double integral(furrow_engine* engine, size_t n, double* x) {
  double mean = 0;
  CHECK(furrow_uniform(engine, FURROW_F64, n, 42, 0, 0, -3.0, 3.0, x));
  CHECK(furrow_for(engine, n, 0, negate_squares, x));
  CHECK(furrow_unary(engine, "exp", FURROW_F64, n, x, x));
  CHECK(furrow_reduce(engine, "mean", FURROW_F64, n, x, &mean, sizeof mean));
  return 6.0 * mean;
}

int main(void) {
  const size_t n = 1000003;
  double* const x = malloc(n * sizeof *x);
  double expected = 0;
  furrow_engine* engine = NULL;
  if (x == NULL) return 1;
  furrow_set_warning_handler(NULL);  // two runtimes in one process are slow, and here on purpose
  for (size_t k = 0; furrow_backend(k) != NULL; ++k) {
    CHECK(furrow_engine_create(furrow_backend(k), 3, &engine));
    const double result = integral(engine, n, x);
    printf("%.17g on %s with %d thread(s)\n", result, furrow_engine_backend(engine), furrow_engine_concurrency(engine));
    furrow_engine_destroy(engine);
    if (k == 0) expected = result;
    if (result != expected) return 1;
  }
  free(x);

  // What cannot be done is a code and a sentence.
  if (furrow_engine_create("cuda", 0, &engine) != FURROW_UNKNOWN_NAME) return 1;
  printf("%s\n", furrow_last_error());
  return expected > 1.76 && expected < 1.78 ? 0 : 1;  // the square root of pi is 1.7724...
}
