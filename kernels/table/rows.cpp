#include "furrow/kernels/table/rows.hpp"

namespace furrow::table::FURROW_TABLE_ISA {

std::vector<Kernel> rows() {
  std::vector<Kernel> rows;
  add_elementwise(rows);
  add_functions(rows);
  add_reductions(rows);
  add_loops(rows);
  add_scans(rows);
  add_order(rows);
  add_random(rows);
  add_irregular(rows);
  add_flows(rows);
  add_simulations(rows);
  add_lattices(rows);
  add_monte_carlo(rows);
  return rows;
}

}  // namespace furrow::table::FURROW_TABLE_ISA
