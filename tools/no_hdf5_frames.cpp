#include "furrow/engine/error.hpp"
#include "tools/frames.hpp"

namespace furrow::tools {

std::unique_ptr<Frames> make_hdf5_frames(FramePlan plan, const sim::Simulation&) {
  fail("cannot write " + plan.path + ": this furrow was built without HDF5; install libhdf5-dev and build it again, or write .npy");
}

}  // namespace furrow::tools
