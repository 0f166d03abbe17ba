// Conjugate gradients for Poisson's equation on a grid of 64³ cells, on Eigen's matrix and vectors: on every backend of this build
// the same bits, and so the same number of steps.
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <furrow/eigen.hpp>
#include <furrow/eigen_sparse.hpp>
#include <furrow/engine/registry.hpp>
#include <string>

namespace {

using Matrix = Eigen::SparseMatrix<double, Eigen::RowMajor>;
using Eigen::VectorXd;

/// The 7-point stencil: 6 times a cell less its neighbours, which are 0 beyond the rim.
Matrix poisson(int side) {
  const int n = side * side * side;
  Matrix a(n, n);
  a.reserve(Eigen::VectorXi::Constant(n, 7));
  for (int cell = 0; cell < n; ++cell) {
    const int i = cell % side;
    const int j = cell / side % side;
    const int k = cell / side / side;
    if (k > 0) a.insert(cell, cell - side * side) = -1;
    if (j > 0) a.insert(cell, cell - side) = -1;
    if (i > 0) a.insert(cell, cell - 1) = -1;
    a.insert(cell, cell) = 6;
    if (i + 1 < side) a.insert(cell, cell + 1) = -1;
    if (j + 1 < side) a.insert(cell, cell + side) = -1;
    if (k + 1 < side) a.insert(cell, cell + side * side) = -1;
  }
  a.makeCompressed();
  return a;
}

/// Solves a · x = b from x = 0 on, until the residual is `tolerance` times that of 0. Returns the number of steps.
int solve(furrow::Engine& engine, const Matrix& a, const VectorXd& b, double tolerance, VectorXd& x) {
  VectorXd residual = b;
  VectorXd direction = b;
  VectorXd product(b.size());
  furrow::assign(engine, x, VectorXd::Zero(b.size()));
  double squares = furrow::dot(engine, residual, residual);
  const double enough = tolerance * tolerance * squares;
  int steps = 0;
  while (squares > enough) {
    furrow::multiply(engine, a, direction, product);
    const double length = squares / furrow::dot(engine, direction, product);
    furrow::assign(engine, x, x + length * direction);
    furrow::assign(engine, residual, residual - length * product);
    const double before = squares;
    squares = furrow::dot(engine, residual, residual);
    furrow::assign(engine, direction, residual + (squares / before) * direction);
    ++steps;
  }
  return steps;
}

/// FNV-1a over the bits of all elements, in order.
unsigned long long hash(const VectorXd& values) {
  unsigned long long h = 0xCBF29CE484222325U;
  for (const double v : values) h = (h ^ std::bit_cast<std::uint64_t>(v)) * 0x100000001B3U;
  return h;
}

}  // namespace

int main() {
  constexpr int kSide = 64;
  const Matrix a = poisson(kSide);
  const VectorXd b = VectorXd::Ones(a.rows());
  VectorXd x;
  unsigned long long first = 0;
  for (const std::string& backend : furrow::backends()) {
    furrow::Engine engine(backend);
    const auto start = std::chrono::steady_clock::now();
    const int steps = solve(engine, a, b, 1e-8, x);
    const double milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    const double residual = furrow::norm2(engine, b - (a * x).eval()) / b.norm();
    std::printf("%-8s %d steps, %7.1f ms, residual %.2e, bits %016llx\n", backend.c_str(), steps, milliseconds, residual, hash(x));
    if (first == 0) first = hash(x);
    if (hash(x) != first) return std::printf("%s differs from serial\n", backend.c_str()), 1;
    if (!(residual < 2e-8)) return std::printf("that is no solution\n"), 1;
  }
  return 0;
}
