#ifndef GALAGO_TRAIN_WORLD_TAR_SHARD_H_
#define GALAGO_TRAIN_WORLD_TAR_SHARD_H_

#include <string>
#include <string_view>

namespace galago::world {

// One member of a plain (ustar) archive: header, bytes, padding. The name has at most 100 bytes; owner and date are 0.
std::string TarMember(std::string_view name, std::string_view bytes);

// What ends an archive.
std::string TarEnd();

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_TAR_SHARD_H_
