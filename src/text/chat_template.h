#ifndef GALAGO_TEXT_CHAT_TEMPLATE_H_
#define GALAGO_TEXT_CHAT_TEMPLATE_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/spec/model_spec.h"

namespace galago::text {

enum class Role { kSystem, kUser, kAssistant };
std::string_view Name(Role role);  // "system", "user", "assistant"

struct ChatMessage {
  Role role = Role::kUser;
  std::string content;
};

struct ChatTemplateOptions {
  spec::Template name = spec::Template::kNone;
  std::string_view jinja;      // kJinja: the template's source
  std::string_view bos_token;  // mistral, kJinja
  std::string_view eos_token;
  bool add_generation_prompt = true;
};

// The conversation as one string with special tokens spelled out. A first message of role system replaces the
// template's own system text. InvalidArgument names what the template cannot express.
StatusOr<std::string> RenderChat(const ChatTemplateOptions& options, std::span<const ChatMessage> messages);

// The reference's stop string of a template (era A): an answer ends there, and it is cut off. Empty: none.
std::string_view StopString(spec::Template name);

}  // namespace galago::text

#endif  // GALAGO_TEXT_CHAT_TEMPLATE_H_
