#pragma once

// Everything but what needs another library's headers (furrow/eigen.hpp). The parts may be included on their own.

#include "furrow/engine/array.hpp"
#include "furrow/engine/backend.hpp"
#include "furrow/engine/chunks.hpp"
#include "furrow/engine/engine.hpp"
#include "furrow/engine/error.hpp"
#include "furrow/engine/registry.hpp"
#include "furrow/engine/view.hpp"
#include "furrow/kernels/assign.hpp"
#include "furrow/kernels/comparisons.hpp"
#include "furrow/kernels/conversions.hpp"
#include "furrow/kernels/elementwise.hpp"
#include "furrow/kernels/exact.hpp"
#include "furrow/kernels/loops.hpp"
#include "furrow/kernels/math.hpp"
#include "furrow/kernels/moments.hpp"
#include "furrow/kernels/random.hpp"
#include "furrow/kernels/reductions.hpp"
#include "furrow/kernels/scans.hpp"
#include "furrow/kernels/selection.hpp"
#include "furrow/kernels/sorting.hpp"
