// Templates without an end.
// report: error: compiling
namespace goro {
template <unsigned long N, unsigned long M>
struct Many {
  static constexpr unsigned long value = Many<N - 1, 2 * M>::value + Many<N - 1, 2 * M + 1>::value;
};
template <unsigned long M>
struct Many<0, M> {
  static constexpr unsigned long value = 1;
};
unsigned long many() {
  return Many<40, 1>::value;
}
}  // namespace goro
