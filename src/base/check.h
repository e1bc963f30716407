#ifndef GALAGO_BASE_CHECK_H_
#define GALAGO_BASE_CHECK_H_

#include <sstream>
#include <string>

// Our own bugs, never foreign input: CHECK ends the program with both values. DCHECK is for hot loops, debug builds
// only.
namespace galago {

[[noreturn]] void CheckFailed(const char* file, int line, const std::string& what);

template <class A, class B>
[[noreturn]] void CheckOpFailed(const char* file, int line, const char* expression, const A& a, const B& b) {
  std::ostringstream out;
  out << expression << " (" << a << " vs " << b << ")";
  CheckFailed(file, line, out.str());
}

}  // namespace galago

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) ::galago::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
#define GALAGO_CHECK_OP_(a, op, b)                                                        \
  do {                                                                                    \
    const auto& check_a_ = (a);                                                           \
    const auto& check_b_ = (b);                                                           \
    if (!(check_a_ op check_b_)) {                                                        \
      ::galago::CheckOpFailed(__FILE__, __LINE__, #a " " #op " " #b, check_a_, check_b_); \
    }                                                                                     \
  } while (false)
#define CHECK_EQ(a, b) GALAGO_CHECK_OP_(a, ==, b)
#define CHECK_NE(a, b) GALAGO_CHECK_OP_(a, !=, b)
#define CHECK_LT(a, b) GALAGO_CHECK_OP_(a, <, b)
#define CHECK_LE(a, b) GALAGO_CHECK_OP_(a, <=, b)
#define CHECK_GT(a, b) GALAGO_CHECK_OP_(a, >, b)
#define CHECK_GE(a, b) GALAGO_CHECK_OP_(a, >=, b)

#ifdef NDEBUG
#define DCHECK(condition) \
  do {                    \
  } while (false && (condition))
#else
#define DCHECK(condition) CHECK(condition)
#endif

#endif  // GALAGO_BASE_CHECK_H_
