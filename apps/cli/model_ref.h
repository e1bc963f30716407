#ifndef GALAGO_CLI_MODEL_REF_H_
#define GALAGO_CLI_MODEL_REF_H_

#include <string>
#include <string_view>

#include "apps/cli/terminal.h"
#include "galago/status.h"

namespace galago::cli {

// hf:OWNER/NAME[@REV][:FILE], https://..., or OWNER/NAME where no such path exists.
bool IsHubReference(const std::string& reference);

// The path on disk that --model means. Hub references are looked up in the cache of the Python hub client
// (huggingface/huggingface_hub: docs/source/en/guides/manage-cache.md); nothing is downloaded.
StatusOr<std::string> ResolveModel(const std::string& reference, const GetEnv& env);

}  // namespace galago::cli

#endif  // GALAGO_CLI_MODEL_REF_H_
