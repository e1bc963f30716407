#include "src/text/chat_template.h"

#include "src/base/strings.h"
#include "src/text/jinja.h"

// Sources: NVlabs/VILA: llava/conversation.py and llava/utils/tokenizer.py; Meituan-AutoML/MobileVLM:
// mobilevlm/conversation.py. None of these templates is a file: they are rules, written down here as such.
namespace galago::text {
namespace {

using Messages = std::span<const ChatMessage>;

// System text and the turns after it.
struct Conversation {
  std::string system;
  Messages turns;
};

StatusOr<Conversation> TakeSystem(const ChatTemplateOptions& options, Messages messages, std::string_view standard) {
  Conversation out{std::string(standard), messages};
  if (!messages.empty() && messages.front().role == Role::kSystem) {
    out.system = messages.front().content;
    out.turns = messages.subspan(1);
  }
  for (size_t i = 0; i < out.turns.size(); ++i) {
    if (out.turns[i].role == Role::kSystem) {
      return InvalidArgument(StrCat("chat template ", spec::Name(options.name), ": message ", i,
                                    " is a system message, only the first can be"));
    }
  }
  return out;
}

StatusOr<std::string> Vicuna(const ChatTemplateOptions& options, Messages messages) {
  ASSIGN_OR_RETURN(const Conversation chat,
                   TakeSystem(options, messages,
                              "A chat between a curious user and an artificial intelligence assistant. The assistant "
                              "gives helpful, detailed, and polite answers to the user's questions."));
  std::string out = StrCat(chat.system, " ");
  for (const ChatMessage& turn : chat.turns) {
    const bool user = turn.role == Role::kUser;
    out += user ? "USER:" : "ASSISTANT:";
    // The reference writes an empty message like an open one: the role alone.
    if (!turn.content.empty()) out += StrCat(" ", turn.content, user ? " " : "</s>");
  }
  if (options.add_generation_prompt) out += "ASSISTANT:";
  return out;
}

StatusOr<std::string> Llama3(const ChatTemplateOptions& options, Messages messages) {
  const bool form1 = options.name == spec::Template::kLlama3Form1;
  ASSIGN_OR_RETURN(const Conversation chat,
                   TakeSystem(options, messages,
                              "You are a helpful language and vision assistant. You are able to understand the visual "
                              "content that the user provides, and assist the user with a variety of tasks using "
                              "natural language."));
  const auto header = [](std::string_view role) {
    return StrCat("<|start_header_id|>", role, "<|end_header_id|>\n\n");
  };
  const std::string_view end = form1 ? "<|end_of_text|>" : "<|eot_id|>";
  // The first form calls the assistant "system"; models were trained so.
  const std::string assistant = header(form1 ? "system" : "assistant");
  std::string out = StrCat("<|begin_of_text|>", header("system"), chat.system, end);
  for (size_t i = 0; i < chat.turns.size(); ++i) {
    const ChatMessage& turn = chat.turns[i];
    out += turn.role == Role::kUser ? header("user") : assistant;
    if (turn.content.empty()) continue;
    const bool last = i + 1 == chat.turns.size() && !options.add_generation_prompt;
    out += StrCat(turn.content, last ? "<|end_of_text|>" : end);
  }
  if (options.add_generation_prompt) out += assistant;
  return out;
}

StatusOr<std::string> Hermes2(const ChatTemplateOptions& options, Messages messages) {
  ASSIGN_OR_RETURN(const Conversation chat, TakeSystem(options, messages, "Answer the questions."));
  std::string out = StrCat("<|im_start|>system\n", chat.system, "<|im_end|>");
  for (const ChatMessage& turn : chat.turns) {
    out += StrCat("<|im_start|>", Name(turn.role), "\n");
    if (!turn.content.empty()) out += StrCat(turn.content, "<|im_end|>");
  }
  if (options.add_generation_prompt) out += "<|im_start|>assistant\n";
  return out;
}

std::string Qwen2(const ChatTemplateOptions& options, Messages messages) {
  std::string out;
  if (messages.empty() || messages.front().role != Role::kSystem) {
    out = "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n";
  }
  for (const ChatMessage& message : messages) {
    out += StrCat("<|im_start|>", Name(message.role), "\n", message.content, "<|im_end|>\n");
  }
  if (options.add_generation_prompt) out += "<|im_start|>assistant\n";
  return out;
}

std::string Mistral(const ChatTemplateOptions& options, Messages messages) {
  std::string out(options.bos_token);
  for (const ChatMessage& message : messages) {
    const std::string_view text = Trim(message.content);
    switch (message.role) {
      case Role::kSystem:
        out += StrCat(text, "\n\n");
        break;
      case Role::kUser:
        out += StrCat("[INST] ", text, " [/INST]");
        break;
      case Role::kAssistant:
        out += StrCat(" ", text, options.eos_token);
        break;
    }
  }
  return out;
}

std::string Joined(Messages messages, std::string_view end) {
  std::string out;
  for (const ChatMessage& message : messages) {
    if (!message.content.empty()) out += StrCat(message.content, end);
  }
  return out;
}

StatusOr<std::string> Jinja(const ChatTemplateOptions& options, Messages messages) {
  ASSIGN_OR_RETURN(const JinjaTemplate parsed, JinjaTemplate::Parse(options.jinja));
  JinjaInput input;
  for (const ChatMessage& message : messages)
    input.messages.push_back({std::string(Name(message.role)), message.content});
  input.bos_token = options.bos_token;
  input.eos_token = options.eos_token;
  input.add_generation_prompt = options.add_generation_prompt;
  return parsed.Render(input);
}

}  // namespace

std::string_view Name(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
  }
  return "";
}

StatusOr<std::string> RenderChat(const ChatTemplateOptions& options, std::span<const ChatMessage> messages) {
  switch (options.name) {
    case spec::Template::kNone:
      return Joined(messages, "");
    case spec::Template::kPlain:
      return Joined(messages, "\n");
    case spec::Template::kVicunaV1:
      return Vicuna(options, messages);
    case spec::Template::kLlama3Form1:
    case spec::Template::kLlama3Form2:
      return Llama3(options, messages);
    case spec::Template::kHermes2:
      return Hermes2(options, messages);
    case spec::Template::kMistral:
      return Mistral(options, messages);
    case spec::Template::kQwen2:
      return Qwen2(options, messages);
    case spec::Template::kJinja:
      return Jinja(options, messages);
  }
  return InvalidArgument("unknown chat template");
}

std::string_view StopString(spec::Template name) {
  switch (name) {
    case spec::Template::kVicunaV1:
      return "</s>";
    case spec::Template::kLlama3Form1:
      return "<|end_of_text|>";
    case spec::Template::kLlama3Form2:
      return "<|eot_id|>";
    case spec::Template::kHermes2:
    case spec::Template::kQwen2:
      return "<|im_end|>";
    case spec::Template::kPlain:
      return "\n";
    case spec::Template::kNone:
    case spec::Template::kMistral:
    case spec::Template::kJinja:
      return "";
  }
  return "";
}

}  // namespace galago::text
