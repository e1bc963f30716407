#ifndef GALAGO_TEXT_JINJA_H_
#define GALAGO_TEXT_JINJA_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"

namespace galago::text {

// What a chat template sees.
struct JinjaMessage {
  std::string role, content;
};
struct JinjaInput {
  std::vector<JinjaMessage> messages;
  std::string bos_token, eos_token;
  bool add_generation_prompt = true;
};

// Templates come with model files and are as foreign as these: work, output and depth are limited.
struct JinjaLimits {
  size_t max_source = size_t{1} << 20;   // bytes
  size_t max_output = size_t{16} << 20;  // bytes, also of any string on the way and of all of them together times 4
  int64_t max_steps = 5'000'000;         // expressions and statements evaluated
  int max_depth = 100;                   // nested expressions, blocks, calls
};

// The part of Jinja that chat templates use, with trim_blocks and lstrip_blocks as transformers sets them: output,
// if/elif/else, for (with filter, else, unpacking and loop.*), set (also of namespace attributes), macro, the usual
// filters, tests and string methods, raise_exception, strftime_now excepted. Anything else is an error that names its
// line.
class JinjaTemplate {
 public:
  static StatusOr<JinjaTemplate> Parse(std::string_view source, const JinjaLimits& limits = {});
  JinjaTemplate(JinjaTemplate&&) noexcept;
  JinjaTemplate& operator=(JinjaTemplate&&) noexcept;
  ~JinjaTemplate();

  StatusOr<std::string> Render(const JinjaInput& input) const;

 private:
  struct Program;
  explicit JinjaTemplate(std::unique_ptr<const Program> program);
  std::unique_ptr<const Program> program_;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_JINJA_H_
