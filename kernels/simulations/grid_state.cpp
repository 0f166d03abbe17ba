#include "furrow/kernels/simulations/grid_state.hpp"

#include <algorithm>

#include "furrow/engine/error.hpp"

namespace furrow::sim {

Boundary boundary_named(const std::string& name, double edge) {
  one_of("boundary", name, {"fixed", "insulated", "periodic"});
  return name == "fixed" ? Boundary::fixed(edge) : name == "insulated" ? Boundary::reflecting() : Boundary::periodic();
}

void one_of(std::string_view parameter, const std::string& name, std::initializer_list<std::string_view> known) {
  if (std::ranges::find(known, name) != known.end()) return;
  std::string all;
  for (const std::string_view one : known) all += (all.empty() ? "" : ", ") + std::string(one);
  fail(std::string(parameter) + " is one of " + all + ", not \"" + name + "\"");
}

}  // namespace furrow::sim
