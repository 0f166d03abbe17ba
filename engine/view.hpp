#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#if __has_include(<mdspan>)
#include <mdspan>
#endif

namespace furrow {

/// A non-owning view of D-dimensional data: element (i, j, …) is data_handle()[i·stride(0) + j·stride(1) + …]. Strides count
/// elements and may be negative or, for data that are only read, zero. The names are those of std::mdspan, to and from which it
/// converts.
template <class T, std::size_t D>
class View {
  static_assert(D >= 1, "a View has at least one dimension");

 public:
  using element_type = T;                         ///< of an element; const if it may only be read
  using value_type = std::remove_cv_t<T>;         ///< of an element's value
  using Extents = std::array<std::size_t, D>;     ///< elements along each dimension
  using Strides = std::array<std::ptrdiff_t, D>;  ///< elements from one to the next along each dimension

  /// No elements.
  constexpr View() = default;
  /// Of the memory from element (0, 0, …) on.
  constexpr View(T* data, const Extents& extents, const Strides& strides) : data_(data), extents_(extents), strides_(strides) {}

  /// Rows one after the other: the last index is contiguous (C, NumPy).
  static constexpr View row_major(T* data, const Extents& extents) {
    View view(data, extents, {});
    std::ptrdiff_t stride = 1;
    for (std::size_t d = D; d-- > 0; stride *= static_cast<std::ptrdiff_t>(extents[d])) view.strides_[d] = stride;
    return view;
  }

  /// Columns one after the other: the first index is contiguous (Fortran, Eigen).
  static constexpr View column_major(T* data, const Extents& extents) {
    View view(data, extents, {});
    std::ptrdiff_t stride = 1;
    for (std::size_t d = 0; d < D; stride *= static_cast<std::ptrdiff_t>(extents[d]), ++d) view.strides_[d] = stride;
    return view;
  }

  /// The same, to read.
  constexpr operator View<const T, D>() const  // NOLINT(google-explicit-constructor): a view of what may be written may be read
      requires(!std::is_const_v<T>) {
    return {data_, extents_, strides_};
  }

  /// Element (i, j, …); not checked.
  template <class... Index>
  constexpr T& operator()(Index... index) const
      requires(sizeof...(Index) == D && (std::is_convertible_v<Index, std::ptrdiff_t> && ...)) {
    const Strides at{static_cast<std::ptrdiff_t>(index)...};
    std::ptrdiff_t offset = 0;
    for (std::size_t d = 0; d < D; ++d) offset += at[d] * strides_[d];
    return data_[offset];
  }

  /// The number of dimensions.
  static constexpr std::size_t rank() { return D; }
  /// Element (0, 0, …).
  constexpr T* data_handle() const { return data_; }
  /// Elements along a dimension.
  constexpr std::size_t extent(std::size_t dimension) const { return extents_[dimension]; }
  /// Elements from one to the next along a dimension.
  constexpr std::ptrdiff_t stride(std::size_t dimension) const { return strides_[dimension]; }
  /// All extents.
  constexpr const Extents& extents() const { return extents_; }
  /// All strides.
  constexpr const Strides& strides() const { return strides_; }

  /// The number of elements.
  constexpr std::size_t size() const {
    std::size_t product = 1;
    for (const std::size_t extent : extents_) product *= extent;
    return product;
  }
  /// Whether there are no elements.
  constexpr bool empty() const { return size() == 0; }

  /// Whether element after element, last index fastest, lies side by side.
  constexpr bool is_row_major() const {
    std::ptrdiff_t expected = 1;
    for (std::size_t d = D; d-- > 0;) {
      if (extents_[d] != 1 && strides_[d] != expected) return false;
      expected *= static_cast<std::ptrdiff_t>(extents_[d]);
    }
    return true;
  }

#if defined(__cpp_lib_mdspan)
  template <class Size>
  constexpr View(const std::mdspan<T, std::dextents<Size, D>, std::layout_stride>& other) : data_(other.data_handle()) {
    for (std::size_t d = 0; d < D; ++d) {
      extents_[d] = static_cast<std::size_t>(other.extent(d));
      strides_[d] = static_cast<std::ptrdiff_t>(other.stride(d));
    }
  }
  constexpr operator std::mdspan<T, std::dextents<std::size_t, D>, std::layout_stride>() const {
    std::array<std::size_t, D> strides{};
    for (std::size_t d = 0; d < D; ++d) strides[d] = static_cast<std::size_t>(strides_[d]);
    return {data_, {std::dextents<std::size_t, D>(extents_), strides}};
  }
#endif

 private:
  T* data_ = nullptr;
  Extents extents_{};
  Strides strides_{};
};

}  // namespace furrow
