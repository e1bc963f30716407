#ifndef GALAGO_BASE_OVERLOADED_H_
#define GALAGO_BASE_OVERLOADED_H_

namespace galago {

// A visitor of a variant, made of one lambda for each alternative.
template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace galago

#endif  // GALAGO_BASE_OVERLOADED_H_
