#include "src/spec/describe.h"

#include <algorithm>

#include "src/base/check.h"
#include "src/base/overloaded.h"
#include "src/base/strings.h"
#include "src/spec/media_layout.h"

namespace galago::spec {
namespace {

std::string_view LayoutName(Layout layout) {
  switch (layout) {
    case Layout::kSubfolders:
      return "subfolders";
    case Layout::kSingleFolder:
      return "single_folder";
    case Layout::kMobileVlm:
      return "mobilevlm";
    case Layout::kGguf:
      return "gguf";
    case Layout::kGalago:
      return "galago";
  }
  CHECK(false);
}

std::string_view AspectName(AspectMode mode) {
  switch (mode) {
    case AspectMode::kResize:
      return "resize";
    case AspectMode::kPad:
      return "pad";
    case AspectMode::kDynamic:
      return "dynamic";
    case AspectMode::kDynamicS2:
      return "dynamic_s2";
    case AspectMode::kProcessorOnly:
      return "processor";
  }
  CHECK(false);
}

std::string_view TokenizerName(TokenizerKind kind) {
  switch (kind) {
    case TokenizerKind::kSentencePiece:
      return "tokenizer.model";
    case TokenizerKind::kTokenizerJson:
      return "tokenizer.json";
    case TokenizerKind::kVocabMerges:
      return "vocab.json + merges.txt";
    case TokenizerKind::kGguf:
      return "gguf";
  }
  CHECK(false);
}

Json DescribeVision(const VisionSpec& vision) {
  return {{"architecture", vision.architecture},
          {"image_size", vision.image_size},
          {"patch_size", vision.patch_size},
          {"hidden_size", vision.hidden_size},
          {"intermediate_size", vision.intermediate_size},
          {"num_hidden_layers", vision.num_hidden_layers},
          {"num_layers_run", vision.num_layers_run},
          {"num_attention_heads", vision.num_attention_heads},
          {"layer_norm_eps", vision.layer_norm_eps},
          {"norm", vision.norm == NormKind::kLayerNorm ? "layer_norm" : "rms_norm"},
          {"hidden_act", std::string(Name(vision.hidden_act))},
          {"class_token", vision.has_class_token},
          {"select_feature", vision.select_feature == SelectFeature::kPatch ? "patch" : "cls_patch"},
          {"selected_tokens", vision.num_selected()}};
}

Json DescribeScales(const ScalesSpec& scales) {
  if (const auto* s2 = std::get_if<StaticS2>(&scales)) {
    return {{"kind", "s2"},
            {"scales", s2->scales},
            {"max_split_size", s2->max_split_size},
            {"resize_output_to_scale_idx", s2->resize_output_to_scale_idx}};
  }
  if (const auto* s2 = std::get_if<DynamicS2>(&scales)) {
    return {
        {"kind", "dynamic_s2"}, {"scales", s2->scales}, {"resize_output_to_scale_idx", s2->resize_output_to_scale_idx}};
  }
  return nullptr;
}

Json DescribeProjector(const ModelSpec& spec) {
  const ProjectorSpec& projector = *spec.projector;
  Json json = {{"mm_projector_type", projector.mm_projector_type},
               {"mm_hidden_size", projector.mm_hidden_size},
               {"hidden_size", projector.hidden_size},
               {"gelu", std::string(Name(projector.gelu))},
               {"rows_per_tile", RowsPerTile(spec)}};
  std::visit(Overloaded{[](const IdentityProjector&) {}, [](const LinearProjector&) {},
                        [&json](const MlpProjector& mlp) { json["depth"] = mlp.depth; },
                        [&json](const DownsampleProjector& down) {
                          json["factor"] = down.factor;
                          json["widths"] = down.widths;
                          json["order"] = down.order == TokenOrder::kRowMajor ? "row_major" : "column_major";
                        },
                        [&json](const LdpProjector& ldp) { json["squeeze"] = ldp.squeeze; },
                        [&json](const LdpV2Projector& ldp) { json["pool"] = ldp.pool; }},
             projector.kind);
  return json;
}

Json DescribeRopeScaling(const RopeScaling& scaling) {
  return std::visit(Overloaded{[](std::monostate) { return Json(nullptr); },
                               [](const LinearRopeScaling& linear) {
                                 return Json{{"type", "linear"}, {"factor", linear.factor}};
                               },
                               [](const Llama3RopeScaling& llama3) {
                                 return Json{
                                     {"type", "llama3"},
                                     {"factor", llama3.factor},
                                     {"low_freq_factor", llama3.low_freq_factor},
                                     {"high_freq_factor", llama3.high_freq_factor},
                                     {"original_max_position_embeddings", llama3.original_max_position_embeddings}};
                               },
                               [](const RopeFrequencyFactors&) {
                                 return Json{{"type", "rope_freqs.weight"}};
                               }},
                    scaling);
}

Json DescribeLanguage(const LanguageModelSpec& language) {
  Json json = {{"model_type", language.model_type},
               {"hidden_size", language.hidden_size},
               {"intermediate_size", language.intermediate_size},
               {"num_hidden_layers", language.num_hidden_layers},
               {"num_attention_heads", language.num_attention_heads},
               {"num_key_value_heads", language.num_key_value_heads},
               {"head_dim", language.head_dim},
               {"vocab_size", language.vocab_size},
               {"max_position_embeddings", language.max_position_embeddings},
               {"rms_norm_eps", language.rms_norm_eps},
               {"rope_theta", language.rope_theta},
               {"rope_scaling", DescribeRopeScaling(language.rope_scaling)},
               {"rope_layout", language.rope_layout == RopeLayout::kHalfSplit ? "half_split" : "interleaved"},
               {"attention_bias", language.attention_bias},
               {"tie_word_embeddings", language.tie_word_embeddings}};
  if (language.quantization) {
    json["quantization"] = {{"format", std::string(Name(language.quantization->format))},
                            {"group_size", language.quantization->group_size}};
  }
  return json;
}

Json DescribePreprocess(const PreprocessSpec& preprocess) {
  Json json = {{"image_aspect_ratio", std::string(AspectName(preprocess.image_aspect_ratio))},
               {"processor", preprocess.processor == Processor::kSquash ? "squash" : "shortest_crop"},
               {"size", preprocess.size},
               {"rescale", preprocess.rescale == Rescale::kMultiply ? "multiply" : "divide_255"},
               {"rescale_factor", preprocess.rescale_factor},
               {"image_mean", preprocess.image_mean},
               {"image_std", preprocess.image_std},
               {"min_tiles", preprocess.min_tiles},
               {"max_tiles", preprocess.max_tiles},
               {"video_max_tiles", preprocess.video_max_tiles}};
  if (preprocess.pad_bottom_right) json["pad_bottom_right"] = true;
  return json;
}

Json DescribeFraming(const MediaFraming& framing) {
  return {
      {"start_tokens", framing.start_tokens}, {"end_tokens", framing.end_tokens}, {"sep_tokens", framing.sep_tokens}};
}

Json DescribePrompt(const PromptSpec& prompt) {
  return {{"era", prompt.era == Era::kA ? "A" : "B"},
          {"chat_template", std::string(Name(prompt.chat_template))},
          {"image_token", prompt.image_token},
          {"video_token", prompt.video_token},
          {"image_encoder", DescribeFraming(prompt.image_encoder.framing)},
          {"newline_after_tile", prompt.newline_after_tile},
          {"drop_eos_at_segment_start", prompt.drop_eos_at_segment_start},
          {"model_max_length", prompt.model_max_length}};
}

Json DescribeVideo(const VideoSpec& video) {
  Json json = {{"num_video_frames", video.num_video_frames}, {"fps", video.fps}};
  if (const auto* tsp = std::get_if<TspEncoder>(&video.encoder)) {
    json["encoder"] = "tsp";
    json["pool_sizes"] = tsp->pool_sizes;
    json["framing"] = DescribeFraming(tsp->framing);
  } else {
    json["encoder"] = "basic";
    json["framing"] = DescribeFraming(std::get<BasicEncoder>(video.encoder).framing);
  }
  json["num_time_tokens"] = video.num_time_tokens;
  json["frames_as_images"] = video.frames_as_images;
  json["time_token_format"] = video.time_token_format;
  return json;
}

}  // namespace

int64_t ContextLimit(const ModelSpec& spec) {
  const int64_t positions = spec.language.max_position_embeddings;
  const int64_t stated = spec.prompt.model_max_length;
  if (positions <= 0) return stated > 0 ? stated : 2048;
  return stated > 0 ? std::min(positions, stated) : positions;
}

Json Describe(const ModelSpec& spec) {
  Json json = {{"schema", "galago.inspect/1"},
               {"family", std::string(Name(spec.family))},
               {"layout", std::string(LayoutName(spec.layout))},
               {"language", DescribeLanguage(spec.language)}};
  if (spec.vision && spec.projector) {
    json["vision"] = DescribeVision(*spec.vision);
    json["scales"] = DescribeScales(spec.scales);
    json["projector"] = DescribeProjector(spec);
    json["preprocess"] = DescribePreprocess(spec.preprocess);
    json["video"] = DescribeVideo(spec.video);
  }
  json["prompt"] = DescribePrompt(spec.prompt);
  json["tokenizer"] = {{"kind", std::string(TokenizerName(spec.tokenizer.kind))},
                       {"legacy", spec.tokenizer.legacy},
                       {"add_bos_token", spec.tokenizer.add_bos_token}};
  json["notes"] = spec.notes;
  return json;
}

std::string DescribeText(const ModelSpec& spec) {
  const LanguageModelSpec& lm = spec.language;
  std::string out = StrCat("family     ", Name(spec.family), " (", LayoutName(spec.layout), ")\n");
  if (spec.vision && spec.projector) {
    const VisionSpec& vision = *spec.vision;
    out += StrCat("vision     ", vision.architecture, ", ", vision.image_size, " px, patch ", vision.patch_size,
                  ", width ", vision.hidden_size, ", ", vision.num_layers_run, " of ", vision.num_hidden_layers,
                  " layers run\n");
    if (const Json scales = DescribeScales(spec.scales); !scales.is_null()) {
      out += StrCat("scales     ", scales["kind"].get_ref<const std::string&>(), " ", scales["scales"].dump(), "\n");
    }
    out += StrCat("projector  ", Printable(spec.projector->mm_projector_type), ", ", spec.projector->mm_hidden_size,
                  " -> ", spec.projector->hidden_size, ", ", RowsPerTile(spec), " rows a tile\n");
    out += StrCat("pictures   ", AspectName(spec.preprocess.image_aspect_ratio), " to ", spec.preprocess.size, " px\n");
  }
  out += StrCat("language   ", lm.model_type, ", width ", lm.hidden_size, ", ", lm.num_hidden_layers, " layers, ",
                lm.num_attention_heads, " heads (", lm.num_key_value_heads, " key/value) of ", lm.head_dim, ", ",
                lm.vocab_size, " tokens, context ", ContextLimit(spec), "\n");
  if (lm.quantization) {
    out += StrCat("weights    4 bits, ", Name(lm.quantization->format), ", ",
                  lm.quantization->group_size < 0 ? std::string("one group a row")
                                                  : StrCat("groups of ", lm.quantization->group_size),
                  "\n");
  }
  out += StrCat("prompt     ", Name(spec.prompt.chat_template), ", era ", spec.prompt.era == Era::kA ? "A" : "B", "\n");
  out += StrCat("tokenizer  ", TokenizerName(spec.tokenizer.kind), "\n");
  for (const std::string& note : spec.notes) out += StrCat("note       ", note, "\n");
  return out;
}

}  // namespace galago::spec
