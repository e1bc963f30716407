#ifndef GALAGO_TEXT_REGEX_H_
#define GALAGO_TEXT_REGEX_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"

namespace galago::text {

// A Perl-style pattern over UTF-8 with Unicode classes, compiled to machine code where possible. Work is limited, so a
// hostile pattern ends with an error. Immutable: any number of threads may match at once.
class Regex {
 public:
  static StatusOr<Regex> Compile(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  struct Span {
    size_t begin = 0, end = 0;  // bytes
    bool matched = false;       // a match, or the text between two
  };
  // Cuts well-formed UTF-8 into matches and what lies between; nothing is lost, no span is empty.
  Status Split(std::string_view text, std::vector<Span>& out) const;

 private:
  struct Code;
  explicit Regex(std::unique_ptr<Code> code);
  std::unique_ptr<Code> code_;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_REGEX_H_
