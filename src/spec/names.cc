#include <array>
#include <utility>

#include "src/base/check.h"
#include "src/spec/model_spec.h"

namespace galago::spec {
namespace {

constexpr std::array<std::pair<Template, std::string_view>, 9> kTemplates = {{
    {Template::kNone, "none"},
    {Template::kPlain, "plain"},
    {Template::kVicunaV1, "vicuna_v1"},
    {Template::kLlama3Form1, "llama_3_form1"},
    {Template::kLlama3Form2, "llama_3_form2"},
    {Template::kHermes2, "hermes-2"},
    {Template::kMistral, "mistral"},
    {Template::kQwen2, "qwen2"},
    {Template::kJinja, "jinja"},
}};

}  // namespace

std::string_view Name(Activation activation) {
  switch (activation) {
    case Activation::kGeluTanh:
      return "gelu_pytorch_tanh";
    case Activation::kGeluErf:
      return "gelu";
    case Activation::kQuickGelu:
      return "quick_gelu";
    case Activation::kSilu:
      return "silu";
  }
  CHECK(false);
}

std::string_view Name(Family family) {
  switch (family) {
    case Family::kVila15:
      return "vila-1.5";
    case Family::kNvila:
      return "nvila";
    case Family::kMobileVlm:
      return "mobilevlm";
    case Family::kLlava:
      return "llava";
    case Family::kText:
      return "text";
  }
  CHECK(false);
}

std::string_view Name(Template name) {
  for (const auto& [value, text] : kTemplates) {
    if (value == name) return text;
  }
  CHECK(false);
}

std::optional<Template> TemplateFromName(std::string_view name) {
  for (const auto& [value, text] : kTemplates) {
    if (text == name) return value;
  }
  // The reference's own names for two of them.
  if (name == "v1") return Template::kVicunaV1;
  if (name == "llama_3") return Template::kLlama3Form2;
  return std::nullopt;
}

}  // namespace galago::spec
