#include "src/base/strings.h"
#include "src/spec/sections.h"

namespace galago::spec {

Template Vila15Template(const TokenizerFiles& tokenizer, const ParseOptions& options, std::vector<std::string>& notes) {
  if (tokenizer.HasToken("<|start_header_id|>")) {
    notes.push_back(StrCat("conversation template ", Name(options.llama_3_form),
                           ": the tokenizer has Llama-3's header tokens (the files do not tell which of two forms)"));
    return options.llama_3_form;
  }
  if (tokenizer.HasToken("<|im_start|>")) {
    notes.push_back("conversation template hermes-2: the tokenizer has the ChatML token <|im_start|>");
    return Template::kHermes2;
  }
  notes.push_back("conversation template vicuna_v1: the tokenizer has neither Llama-3's nor ChatML tokens");
  return Template::kVicunaV1;
}

Status EraBTemplate(const Config& model, const TokenizerFiles& tokenizer, PromptSpec& prompt,
                    std::vector<std::string>& notes) {
  ASSIGN_OR_RETURN(const std::string name, model.StringOr("chat_template", ""));
  if (name == "qwen2" || name == "mistral") {
    prompt.chat_template = name == "qwen2" ? Template::kQwen2 : Template::kMistral;
  } else if (!name.empty()) {
    return Unimplemented(StrCat(model.Name("chat_template"), " \"", Printable(name), "\" is not a built-in template"));
  } else if (!tokenizer.chat_template.empty()) {
    prompt.chat_template = Template::kJinja;
    prompt.jinja = tokenizer.chat_template;
  } else if (tokenizer.HasToken("<|im_start|>")) {
    prompt.chat_template = Template::kQwen2;
    notes.push_back("conversation template qwen2: the tokenizer has none of its own, but ChatML tokens");
  } else {
    return NotFound(
        StrCat(model.what(), ": neither chat_template nor the tokenizer's files hold a conversation template"));
  }
  return OkStatus();
}

void OwnTemplate(const TokenizerFiles& tokenizer, PromptSpec& prompt) {
  prompt.chat_template = tokenizer.chat_template.empty() ? Template::kNone : Template::kJinja;
  prompt.jinja = tokenizer.chat_template;
}

void OverrideTemplate(const ParseOptions& options, PromptSpec& prompt, std::vector<std::string>& notes) {
  if (!options.chat_template || *options.chat_template == prompt.chat_template) return;
  notes.push_back(StrCat("conversation template ", Name(*options.chat_template), " as asked, instead of ",
                         Name(prompt.chat_template)));
  prompt.chat_template = *options.chat_template;
}

}  // namespace galago::spec
