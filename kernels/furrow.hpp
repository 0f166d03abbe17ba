#pragma once

// Everything but what needs another library's headers (furrow/eigen.hpp). The parts may be included on their own, and compile
// sooner: they do without these two, which functions that programs hand over are made of.
#include <algorithm>
#include <cmath>

#include "furrow/engine/array.hpp"
#include "furrow/engine/backend.hpp"
#include "furrow/engine/chunks.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/future.hpp"
#include "furrow/engine/graph.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/engine/view.hpp"
#include "furrow/kernels/adjacent_difference.hpp"
#include "furrow/kernels/assign.hpp"
#include "furrow/kernels/axis_reductions.hpp"
#include "furrow/kernels/comparisons.hpp"
#include "furrow/kernels/conversions.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/exact.hpp"
#include "furrow/kernels/flow.hpp"
#include "furrow/kernels/histogram.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/masks.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/moments.hpp"
#include "furrow/kernels/quantile.hpp"
#include "furrow/kernels/random.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/scans.hpp"
#include "furrow/kernels/selection.hpp"
#include "furrow/kernels/simulations/gray_scott.hpp"
#include "furrow/kernels/simulations/heat.hpp"
#include "furrow/kernels/simulations/ising.hpp"
#include "furrow/kernels/simulations/lbm.hpp"
#include "furrow/kernels/simulations/nbody.hpp"
#include "furrow/kernels/simulations/options.hpp"
#include "furrow/kernels/simulations/simulations.hpp"
#include "furrow/kernels/simulations/wave.hpp"
#include "furrow/kernels/sorting.hpp"
#include "furrow/kernels/sparse.hpp"
#include "furrow/kernels/stencil.hpp"

/// What furrow offers to programs. Kernels are functions of an Engine and of ranges: whatever has data() and size().
namespace furrow {}

/// Simulations.
namespace furrow::sim {}
