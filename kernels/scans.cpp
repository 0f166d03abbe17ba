#include "furrow/kernels/scans.hpp"

#include <algorithm>

#include "furrow/kernels/instantiate.hpp"
#include "furrow/kernels/simd/kernels.hpp"

namespace furrow::scans {
namespace {

/// Elements of the shortest chunk; the longest has four times as many.
constexpr std::size_t kShortest = 2048;

constexpr std::size_t kLine = 64;

}  // namespace

template <NamedElement T>
void sums(Engine& engine, std::span<const T> x, std::span<T> out, T before, Kind kind) {
  static constinit Cost adding("sum", type_code(type_of<T>));
  static constinit Cost writing("inclusive_scan", type_code(type_of<T>));
  const simd::Kernels<T>& simd = simd::kernels<T>();
  const auto scan = kind == Kind::inclusive ? simd.inclusive_sums : simd.exclusive_sums;
  const bool stream = x.data() != out.data() && worth_streaming(x.size_bytes() + out.size_bytes());
  const auto write = [&](Range part, T start, Range next) {
    if (!stream) {
      scan(x.data() + part.begin, out.data() + part.begin, start, part.size());
      return;
    }
    StreamWriter<T> writer(out.data() + part.begin);
    for (std::size_t begin = part.begin, size = 0; begin < part.end; begin += size) {
      size = std::min(writer.kMost, part.end - begin);
      const std::size_t ahead = next.begin + (begin - part.begin);
      for (std::size_t i = ahead; i < std::min(ahead + size, next.end); i += kLine / sizeof(T))
        __builtin_prefetch(x.data() + i, 0, 2);
      start = scan(x.data() + begin, writer.next(), start, size);
      writer.take(size);
    }
    writer.finish();
  };
  const Chunks chunks(x.size(), sizeof(double), kShortest);  // the same for all types
  if (chunks.count() < 2) {
    engine.over_chunks(chunks, writing, [&](std::size_t, std::size_t) { write(chunks[0], before, {}); });
    return;
  }
  in_groups<T>(
      engine, adding, writing, chunks, chunks.length() * sizeof(T),
      [&](Range part, T& total) { total = static_cast<T>(simd.sum(x.data() + part.begin, part.size())); },
      [&before](Range, T& total) {
        const T own = total;
        total = before;
        before = static_cast<T>(named::join_sums(before, own));
      },
      write);
}

#define FURROW_INSTANTIATE(T) template void sums(Engine&, std::span<const T>, std::span<T>, T, Kind);
FURROW_FOR_EACH_ELEMENT_TYPE(FURROW_INSTANTIATE)
#undef FURROW_INSTANTIATE

}  // namespace furrow::scans
