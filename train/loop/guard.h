#ifndef GALAGO_TRAIN_LOOP_GUARD_H_
#define GALAGO_TRAIN_LOOP_GUARD_H_

#include <exception>
#include <new>
#include <string_view>

#include "galago/status.h"
#include "src/base/strings.h"

namespace galago::train {

// The one place where what LibTorch throws becomes a Status. body returns a Status or StatusOr.
template <class Body>
auto Guarded(std::string_view what, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return ResourceExhausted(StrCat(what, ": out of memory"));
  } catch (const std::exception& error) {
    const std::string_view all = error.what();
    const std::string_view text = all.substr(0, all.find('\n'));
    if (text.find("allocate memory") != std::string_view::npos) {
      return ResourceExhausted(StrCat(what, ": out of memory: ", text));
    }
    return Internal(StrCat(what, ": ", text));
  }
}

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_GUARD_H_
