#pragma once

// Eigen's expressions on all cores, without temporaries:
//
//     Eigen::ArrayXd x, y;
//     furrow::assign(engine, y, 3.0 * x + y * x.abs().sqrt());
//     double error = furrow::norm2(engine, x - y);
//
// The elements are computed by Eigen's own code for the instruction set that the program is compiled for, which elements by which
// instructions depends on shapes and types alone: so the bits are the same on every backend, with any number of threads and
// wherever the arrays lie. This header needs Eigen 3.4; furrow itself does not. Sparse matrices: furrow/eigen_sparse.hpp.

#include "furrow/kernels/eigen/assign.hpp"
#include "furrow/kernels/eigen/axis_reductions.hpp"
#include "furrow/kernels/eigen/reductions.hpp"
