#include "src/engine/media_cache.h"

namespace galago::engine {

std::shared_ptr<const models::EncodedMedia> MediaCache::Find(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->media;
}

void MediaCache::Insert(const std::string& key, std::shared_ptr<const models::EncodedMedia> media) {
  const uint64_t size = media->rows.num_bytes();
  if (size > max_bytes_ || by_key_.contains(key)) return;
  while (num_bytes_ + size > max_bytes_) {
    num_bytes_ -= entries_.back().media->rows.num_bytes();
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({key, std::move(media)});
  by_key_.emplace(key, entries_.begin());
  num_bytes_ += size;
}

}  // namespace galago::engine
