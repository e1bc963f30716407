#ifndef GALAGO_ENGINE_MEDIA_CACHE_H_
#define GALAGO_ENGINE_MEDIA_CACHE_H_

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "src/models/runner.h"

namespace galago::engine {

// Encoded pictures and videos by key, least recently used ones dropped first. What was handed out stays valid.
class MediaCache {
 public:
  explicit MediaCache(uint64_t max_bytes) : max_bytes_(max_bytes) {}

  std::shared_ptr<const models::EncodedMedia> Find(const std::string& key);
  // An entry larger than the whole cache is not kept.
  void Insert(const std::string& key, std::shared_ptr<const models::EncodedMedia> media);
  uint64_t num_bytes() const { return num_bytes_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const models::EncodedMedia> media;
  };
  uint64_t max_bytes_;
  uint64_t num_bytes_ = 0;
  std::list<Entry> entries_;  // most recent first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_MEDIA_CACHE_H_
