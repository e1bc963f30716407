#include "src/base/strings.h"
#include "src/spec/sections.h"

namespace galago::spec {
namespace {

constexpr int64_t kMaxFrames = 4096;

// "llava.model.encoders.image.basic.BasicImageEncoder" -> "BasicImageEncoder"
std::string_view LastPart(std::string_view target) { return target.substr(target.rfind('.') + 1); }

// A string argument whose absence means `fallback` and whose null means none.
StatusOr<std::string> TokensOr(const Config& encoder, std::string_view key, std::string_view fallback) {
  if (encoder.Mentions(key) && !encoder.Has(key)) return std::string();
  return encoder.StringOr(key, fallback);
}

StatusOr<MediaFraming> ParseFraming(const Config& encoder) {
  MediaFraming framing;
  ASSIGN_OR_RETURN(framing.start_tokens, TokensOr(encoder, "start_tokens", ""));
  ASSIGN_OR_RETURN(framing.end_tokens, TokensOr(encoder, "end_tokens", "\n"));
  ASSIGN_OR_RETURN(framing.sep_tokens, TokensOr(encoder, "sep_tokens", ""));
  return framing;
}

StatusOr<std::vector<std::array<int64_t, 3>>> ParsePoolSizes(const Config& encoder) {
  const Json* list = encoder.Find("pool_sizes");
  if (list == nullptr) return encoder.Missing("pool_sizes");
  const auto refuse = [&encoder] {
    return DataLoss(StrCat(encoder.Name("pool_sizes"), " is not a list of three sizes each"));
  };
  if (!list->is_array() || list->empty() || list->size() > 16) return refuse();
  std::vector<std::array<int64_t, 3>> pools;
  for (const Json& item : *list) {
    if (!item.is_array() || item.size() != 3) return refuse();
    std::array<int64_t, 3> pool;
    for (size_t i = 0; i < 3; ++i) {
      if (!item[i].is_number_integer() || item[i] < 1 || item[i] > kMaxFrames) return refuse();
      pool[i] = item[i].get<int64_t>();
    }
    pools.push_back(pool);
  }
  return pools;
}

// The value is an object, JSON of one in a string, or just the target's name.
StatusOr<Config> EncoderConfig(const Config& model, std::string_view key) {
  const Json* value = model.Find(key);
  if (value == nullptr) return Config(Json::object(), model.Name(key));
  if (value->is_object()) return model.Sub(key);
  ASSIGN_OR_RETURN(const std::string text, model.String(key));
  if (text.find('{') == std::string::npos) return Config(Json{{"_target_", text}}, model.Name(key));
  ASSIGN_OR_RETURN(Json json, ParseJson(text, model.Name(key)));
  if (!json.is_object()) return DataLoss(StrCat(model.Name(key), " is not an object"));
  return Config(std::move(json), model.Name(key));
}

}  // namespace

StatusOr<std::variant<BasicEncoder, TspEncoder>> ParseEncoder(const Config& model, std::string_view key) {
  ASSIGN_OR_RETURN(const Config encoder, EncoderConfig(model, key));
  const bool video = key == "video_encoder";
  ASSIGN_OR_RETURN(const std::string target,
                   encoder.StringOr("_target_", video ? "BasicVideoEncoder" : "BasicImageEncoder"));
  ASSIGN_OR_RETURN(MediaFraming framing, ParseFraming(encoder));
  const std::string_view name = LastPart(target);
  if (name == (video ? "BasicVideoEncoder" : "BasicImageEncoder")) {
    framing.sep_tokens.clear();  // only the pooling encoder has them
    return std::variant<BasicEncoder, TspEncoder>(BasicEncoder{.framing = std::move(framing)});
  }
  if (video && name == "TSPVideoEncoder") {
    ASSIGN_OR_RETURN(auto pools, ParsePoolSizes(encoder));
    return std::variant<BasicEncoder, TspEncoder>(
        TspEncoder{.framing = std::move(framing), .pool_sizes = std::move(pools)});
  }
  return Unimplemented(StrCat(encoder.what(), ": encoder \"", Printable(target), "\" is not supported"));
}

StatusOr<VideoSpec> ParseVideo(const Config& model) {
  VideoSpec spec;
  ASSIGN_OR_RETURN(spec.num_video_frames, model.IntOr("num_video_frames", 8, 1, kMaxFrames));
  ASSIGN_OR_RETURN(const auto fps, JsonNumber(model.json(), "fps", model.what()));
  spec.fps = fps.value_or(0.0);  // null in some releases
  if (!(spec.fps >= 0.0 && spec.fps <= 1000.0)) return DataLoss(StrCat(model.Name("fps"), " is ", spec.fps));
  ASSIGN_OR_RETURN(spec.num_time_tokens, model.IntOr("num_time_tokens", 0, 0, 1 << 16));
  ASSIGN_OR_RETURN(spec.time_token_format, model.StringOr("time_token_format", spec.time_token_format));
  if (spec.num_time_tokens > 0 && spec.time_token_format.find("{t}") == std::string::npos) {
    return DataLoss(StrCat(model.Name("time_token_format"), " \"", Printable(spec.time_token_format), "\" lacks {t}"));
  }
  ASSIGN_OR_RETURN(spec.encoder, ParseEncoder(model, "video_encoder"));
  spec.frames_as_images = std::holds_alternative<BasicEncoder>(spec.encoder);
  return spec;
}

}  // namespace galago::spec
