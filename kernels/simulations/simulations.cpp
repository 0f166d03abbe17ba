#include "furrow/kernels/simulations/simulations.hpp"

#include <algorithm>
#include <array>

#include "furrow/kernels/simulations/checkpoint.hpp"
#include "furrow/kernels/simulations/gray_scott.hpp"
#include "furrow/kernels/simulations/heat.hpp"
#include "furrow/kernels/simulations/ising.hpp"
#include "furrow/kernels/simulations/lbm.hpp"
#include "furrow/kernels/simulations/nbody.hpp"
#include "furrow/kernels/simulations/options.hpp"
#include "furrow/kernels/simulations/parameter.hpp"
#include "furrow/kernels/simulations/wave.hpp"

namespace furrow::sim {
namespace {

template <class S>
constexpr Model row() {
  using Options = typename S::Options;
  return {S::kName, S::kAbout, S::kSteps,
          [] {
            std::vector<Model::Default> all;
            Options options;
            for (const Parameter& parameter : options.parameters())
              all.push_back({std::string(parameter.name), std::string(parameter.about), parameter.text()});
            return all;
          },
          [](Engine& engine, std::span<const Setting> settings) -> std::unique_ptr<Simulation> {
            Options options;
            sim::apply(options.parameters(), settings);
            return std::make_unique<S>(engine, options);
          }};
}

constexpr std::array kModels{
    row<Heat2D>(), row<Heat3D>(), row<Wave2D>(), row<GrayScott2D>(),   row<GrayScott3D>(),
    row<LBM2D>(),  row<NBody>(),  row<Ising>(),  row<OptionPricing>(),
};

}  // namespace

std::span<const Model> models() {
  return kModels;
}

const Model& model(std::string_view name) {
  const auto found = std::ranges::find(kModels, name, &Model::name);
  if (found != kModels.end()) return *found;
  std::string known;
  for (const Model& one : kModels) known += (known.empty() ? "" : ", ") + std::string(one.name);
  fail("there is no simulation \"" + std::string(name) + "\"; there are " + known);
}

std::unique_ptr<Simulation> resume(Engine& engine, const std::string& path) {
  const Checkpoint saved = CheckpointFile(path).checkpoint();
  auto simulation = model(saved.simulation).make(engine, saved.settings);
  simulation->load(path);
  return simulation;
}

}  // namespace furrow::sim
