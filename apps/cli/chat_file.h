#ifndef GALAGO_CLI_CHAT_FILE_H_
#define GALAGO_CLI_CHAT_FILE_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "galago/message.h"
#include "galago/status.h"

// Conversations on disk: JSON, schema galago.chat/1 (docs/cli.md).
namespace galago::cli {

struct SavedChat {
  std::string model;
  std::optional<std::string> system;
  std::vector<Message> turns;  // user and assistant
  std::vector<Part> pending;   // attached to the message not sent yet
};

std::string ChatToText(const SavedChat& chat);
StatusOr<SavedChat> ChatFromText(std::string_view text, std::string_view what);

// Media as data: URIs instead of paths. `read` gives a file's bytes.
using ReadBytes = std::function<StatusOr<std::string>(const std::string& path)>;
Status EmbedMedia(SavedChat& chat, const ReadBytes& read);

// "image/png" and so on by the first bytes; "application/octet-stream" if unknown.
std::string_view MediaType(std::string_view bytes);

}  // namespace galago::cli

#endif  // GALAGO_CLI_CHAT_FILE_H_
