#ifndef GALAGO_TRAIN_DATA_TAR_H_
#define GALAGO_TRAIN_DATA_TAR_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"

namespace galago::train {

struct TarMember {
  std::string name;
  size_t offset = 0;  // of its bytes in the archive
  size_t size = 0;
};

// The regular files of a tar archive, in order (POSIX ustar with GNU and pax long names).
struct TarIndex {
  std::vector<TarMember> members;
  Status damage;  // why reading stopped before the end; members in front of it are whole
};
TarIndex IndexTar(std::span<const std::byte> bytes, std::string_view what);

// Members that share their name up to the first dot of its last part: KEY.png, KEY.json. In order of first appearance.
struct TarSample {
  std::string key;
  std::vector<size_t> members;  // indices in TarIndex::members
};
std::vector<TarSample> GroupByKey(const TarIndex& index);

// What follows the key and its dot, in lower case: "png", "0.png", "json".
std::string SampleExtension(std::string_view name, std::string_view key);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_TAR_H_
