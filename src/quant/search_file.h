#ifndef GALAGO_QUANT_SEARCH_FILE_H_
#define GALAGO_QUANT_SEARCH_FILE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "galago/status.h"
#include "src/quant/layer_search.h"

// What a search found, a file for each layer, so that an interrupted run goes on and a search serves again: applied to
// the same weights, it gives the same bytes.
namespace galago::quant {

// `key` says what the search depended on.
Status SaveSearch(const std::filesystem::path& directory, int64_t layer, std::string_view key,
                  const LayerSearch& search);
// nullopt: there is none, or of another key.
StatusOr<std::optional<LayerSearch>> LoadSearch(const std::filesystem::path& directory, int64_t layer,
                                                std::string_view key, const FloatLayer& weights, int64_t group);

}  // namespace galago::quant

#endif  // GALAGO_QUANT_SEARCH_FILE_H_
