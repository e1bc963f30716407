#ifndef GALAGO_ENGINE_MEDIA_INPUT_H_
#define GALAGO_ENGINE_MEDIA_INPUT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "galago/message.h"
#include "galago/session.h"
#include "galago/status.h"
#include "src/base/thread_pool.h"
#include "src/media/preprocess/preprocess.h"
#include "src/spec/media_layout.h"
#include "src/spec/model_spec.h"

// From the sources a user names to what the encoder needs, in two steps: a plan that reads headers only, then pixels
// for those media whose embeddings are not known already.
namespace galago::engine {

// One picture or video of a conversation, planned.
class MediaItem {
 public:
  virtual ~MediaItem() = default;
  const MediaInfo& info() const { return info_; }
  const spec::MediaLayout& layout() const { return layout_; }
  // Identifies the pixels the encoder would see: content hash plus everything that shapes them. Equal keys, equal rows.
  const std::string& key() const { return key_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  // Gives all pixels in order: pictures at once, videos frames_per_slice > 0 frames at a time (0: at once), so that
  // they never lie in memory together. The slices' tiles add up to layout(), or an error names the source; an error of
  // on_slice ends the reading. What a user should know is added to `warnings`.
  using OnSlice = std::function<Status(media::Preprocessed slice, bool last)>;
  virtual Status Pixels(int64_t frames_per_slice, ThreadPool* pool, std::vector<std::string>& warnings,
                        const OnSlice& on_slice) const = 0;

 protected:
  MediaInfo info_;
  spec::MediaLayout layout_;
  std::string key_;
  std::vector<std::string> warnings_;
};

// The media of a whole conversation in order of appearance. Tiling depends on how many pictures the conversation holds
// (NVlabs/VILA: llava/model/llava_arch.py, generate_content), hence all at once. Errors name the source. `cancel` may
// be null; set, it ends reading with Cancelled, now and in Pixels.
StatusOr<std::vector<std::unique_ptr<MediaItem>>> PlanMedia(const spec::ModelSpec& spec,
                                                            const std::vector<Message>& conversation,
                                                            const std::atomic<bool>* cancel);

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_MEDIA_INPUT_H_
