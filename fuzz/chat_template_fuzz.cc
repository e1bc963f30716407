// Chat templates: any bytes parse or fail, and what parses renders within its limits.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/text/jinja.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago::text;
  JinjaLimits limits;
  limits.max_steps = 20000;
  limits.max_output = size_t{1} << 18;
  const auto parsed = JinjaTemplate::Parse(std::string_view(reinterpret_cast<const char*>(data), size), limits);
  if (!parsed.ok()) return 0;
  JinjaInput input;
  input.messages = {
      {"system", "Be brief."}, {"user", "  Hi\n\xe4\xbd\xa0 "}, {"assistant", "Yes."}, {"user", "{{ 1 }}"}};
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  (void)parsed->Render(input);
  return 0;
}
