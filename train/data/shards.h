#ifndef GALAGO_TRAIN_DATA_SHARDS_H_
#define GALAGO_TRAIN_DATA_SHARDS_H_

#include <cstdint>
#include <filesystem>
#include <memory>

#include "galago/status.h"
#include "train/data/conversation.h"
#include "train/data/dataset.h"

namespace galago::train {

struct ShardOptions {
  // Of samples whose KEY.json holds a conversation or a document; media are members of the shard.
  ConversationOptions conversation;
  int64_t samples_per_index = 1;  // caption pairs that are one draw, against documents of many pictures
  double begin = 0.0, end = 1.0;  // the part of the samples that is used
  // Captions by the "url" of KEY.json instead of the shard's own: for SHARD.tar, FOLDER/SHARD.json maps a url to
  // {"output": text}.
  std::filesystem::path recaptions;
};

// A folder of tar shards (webdataset) with wids-meta.json beside them; without it, all *.tar in name order. A sample is
// a conversation or document (KEY.json says so), or a picture or video KEY.jpg, .png, .webp, .bmp, .mp4 with its
// caption KEY.txt or "caption" in KEY.json. Shards are mapped; a shard is indexed when it is first read from, or at
// once where nothing says how many samples it holds. A shard that is cut short gives its whole samples.
StatusOr<std::unique_ptr<const Dataset>> OpenShards(const std::filesystem::path& folder, const ShardOptions& options);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_SHARDS_H_
