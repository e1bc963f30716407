#ifndef GALAGO_TRAIN_WORLD_ENCODE_H_
#define GALAGO_TRAIN_WORLD_ENCODE_H_

#include <string>

#include "galago/status.h"
#include "src/media/image.h"
#include "train/world/sample.h"

// Pictures and clips as files. The same pixels give the same bytes with the same libraries.
namespace galago::world {

// 8-bit RGB PNG.
std::string EncodePng(const media::Image& image);

// MP4 with one MPEG-4 part 2 stream at constant high quality: the encoder is FFmpeg's own, so every build of the
// libraries has it. Frames have even sides and one size; the rate is kept to 1/1000 frame a second.
StatusOr<std::string> EncodeMp4(const Clip& clip);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_ENCODE_H_
