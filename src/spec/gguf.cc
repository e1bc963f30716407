
#include "src/base/strings.h"
#include "src/spec/sections.h"

// A language model in GGUF, and CLIP-style towers with their projectors in mmproj GGUF files (ggml-org/llama.cpp:
// examples/llava/convert_image_encoder_to_gguf.py).
namespace galago::spec {
namespace {

// GGUF metadata is one flat object of dotted keys.
Config MetadataOf(const GgufFacts& facts) {
  Json::object_t object;
  auto& members = static_cast<std::vector<std::pair<const std::string, Json>>&>(object);
  for (const auto& [key, value] : facts.metadata) members.emplace_back(key, value);
  return Config(Json(std::move(object)), facts.path.string());
}

const std::vector<int64_t>* FindShape(const GgufFacts& facts, std::string_view name) {
  const auto it = facts.tensors.find(name);
  return it == facts.tensors.end() ? nullptr : &it->second;
}
bool HasTensor(const GgufFacts& facts, std::string_view name) { return FindShape(facts, name) != nullptr; }

// The one length of a vector that must be there, or the `axis`-th of `rank` dimensions.
StatusOr<int64_t> Length(const GgufFacts& facts, std::string_view name, size_t rank, size_t axis, int64_t max) {
  const std::string file = facts.path.string();
  const std::vector<int64_t>* shape = FindShape(facts, name);
  if (shape == nullptr) return NotFound(StrCat(file, ": no tensor ", name));
  if (shape->size() != rank || (*shape)[axis] < 1 || (*shape)[axis] > max) {
    return DataLoss(StrCat(file, ": ", name, " has the impossible shape ", ShapeText(*shape)));
  }
  return (*shape)[axis];
}

StatusOr<RopeScaling> ParseGgufRope(const Config& meta, const std::string& arch, bool has_factors) {
  if (has_factors) return RopeScaling(RopeFrequencyFactors{});
  ASSIGN_OR_RETURN(const double old_scale, meta.PositiveOr(arch + ".rope.scale_linear", 1.0));
  ASSIGN_OR_RETURN(const std::string type,
                   meta.StringOr(arch + ".rope.scaling.type", old_scale == 1.0 ? "none" : "linear"));
  ASSIGN_OR_RETURN(const double factor, meta.PositiveOr(arch + ".rope.scaling.factor", old_scale));
  if (type == "none" || (type == "linear" && factor == 1.0)) return RopeScaling();
  if (type == "linear") return RopeScaling(LinearRopeScaling{.factor = factor});
  return Unimplemented(StrCat(meta.Name(arch + ".rope.scaling.type"), " \"", Printable(type), "\" is not supported"));
}

StatusOr<LanguageModelSpec> ParseGgufLanguage(const GgufFacts& facts, const Config& meta) {
  LanguageModelSpec spec;
  ASSIGN_OR_RETURN(const std::string arch, meta.String("general.architecture"));
  if (arch == "clip") {
    return InvalidArgument(StrCat(meta.what(), " is a vision tower with its projector (mmproj), not a language model"));
  }
  if (arch != "llama" && arch != "qwen2") {
    return Unimplemented(StrCat(meta.Name("general.architecture"), " \"", Printable(arch),
                                "\" is not a language model we run (llama, qwen2)"));
  }
  ASSIGN_OR_RETURN(const int64_t parts, meta.IntOr("split.count", 1, 0, 1 << 16));
  if (parts > 1) return Unimplemented(StrCat(meta.what(), " is one of ", parts, " parts; join them with gguf-split"));
  ASSIGN_OR_RETURN(const int64_t experts, meta.IntOr(arch + ".expert_count", 0, 0, 1 << 16));
  if (experts > 0) return Unimplemented(StrCat(meta.what(), ": mixtures of experts are not supported"));
  for (const std::string_view name : {"blk.0.attn_output.bias", "blk.0.ffn_up.bias", "blk.0.attn_q_norm.weight"}) {
    if (HasTensor(facts, name)) return Unimplemented(StrCat(meta.what(), ": tensor ", name, " is not supported"));
  }

  spec.names = LanguageNames::kGguf;
  spec.model_type = arch;
  ASSIGN_OR_RETURN(spec.hidden_size, meta.Int(arch + ".embedding_length", 1, kMaxWidth));
  ASSIGN_OR_RETURN(spec.intermediate_size, meta.Int(arch + ".feed_forward_length", 1, kMaxFeedForward));
  ASSIGN_OR_RETURN(spec.num_hidden_layers, meta.Int(arch + ".block_count", 1, kMaxLayers));
  ASSIGN_OR_RETURN(spec.num_attention_heads, meta.Int(arch + ".attention.head_count", 1, kMaxHeads));
  ASSIGN_OR_RETURN(spec.num_key_value_heads,
                   meta.IntOr(arch + ".attention.head_count_kv", spec.num_attention_heads, 1, kMaxHeads));
  const std::string key_length = arch + ".attention.key_length";
  if (!meta.Has(key_length) && spec.hidden_size % spec.num_attention_heads != 0) {
    return DataLoss(StrCat(meta.what(), ": embedding_length ", spec.hidden_size, " is not a multiple of head_count ",
                           spec.num_attention_heads));
  }
  ASSIGN_OR_RETURN(spec.head_dim, meta.IntOr(key_length, spec.hidden_size / spec.num_attention_heads, 1, kMaxWidth));
  if (spec.head_dim % 2 != 0 || spec.head_dim * spec.num_attention_heads > kMaxWidth) {
    return DataLoss(
        StrCat(meta.what(), ": ", spec.num_attention_heads, " heads of ", spec.head_dim, " channels make no sense"));
  }
  if (spec.num_attention_heads % spec.num_key_value_heads != 0) {
    return DataLoss(StrCat(meta.what(), ": head_count ", spec.num_attention_heads,
                           " is not a multiple of head_count_kv ", spec.num_key_value_heads));
  }
  ASSIGN_OR_RETURN(const int64_t rotated, meta.IntOr(arch + ".rope.dimension_count", spec.head_dim, 1, kMaxWidth));
  if (rotated != spec.head_dim) {
    return Unimplemented(StrCat(meta.what(), ": ", rotated, " of ", spec.head_dim,
                                " channels of a head are rotated, which is not supported"));
  }
  ASSIGN_OR_RETURN(spec.vocab_size, Length(facts, "token_embd.weight", 2, 0, kMaxVocab));
  ASSIGN_OR_RETURN(spec.max_position_embeddings, meta.IntOr(arch + ".context_length", 2048, 1, kMaxPositions));
  if (!meta.Has(arch + ".attention.layer_norm_rms_epsilon")) {
    return meta.Missing(arch + ".attention.layer_norm_rms_epsilon");
  }
  ASSIGN_OR_RETURN(spec.rms_norm_eps, meta.PositiveOr(arch + ".attention.layer_norm_rms_epsilon", 1e-6));
  ASSIGN_OR_RETURN(spec.rope_theta, meta.PositiveOr(arch + ".rope.freq_base", 10000.0));
  ASSIGN_OR_RETURN(spec.rope_scaling, ParseGgufRope(meta, arch, HasTensor(facts, "rope_freqs.weight")));
  // Converters permute the rows of q and k for `llama`, and leave qwen2 as it is.
  spec.rope_layout = arch == "llama" ? RopeLayout::kInterleaved : RopeLayout::kHalfSplit;
  spec.attention_bias = HasTensor(facts, "blk.0.attn_q.bias");
  spec.tie_word_embeddings = !HasTensor(facts, "output.weight");
  return spec;
}

StatusOr<VisionSpec> ParseGgufVision(const GgufFacts& facts, const Config& meta) {
  VisionSpec spec;
  spec.names = VisionNames::kMmproj;
  ASSIGN_OR_RETURN(const bool has_tower, meta.BoolOr("clip.has_vision_encoder", true));
  if (!has_tower) return Unimplemented(StrCat(meta.what(), ": no vision encoder in it"));
  ASSIGN_OR_RETURN(spec.image_size, meta.Int("clip.vision.image_size", 1, kMaxImageSize));
  ASSIGN_OR_RETURN(spec.patch_size, meta.Int("clip.vision.patch_size", 1, kMaxImageSize));
  ASSIGN_OR_RETURN(spec.hidden_size, meta.Int("clip.vision.embedding_length", 1, kMaxWidth));
  ASSIGN_OR_RETURN(spec.intermediate_size, meta.Int("clip.vision.feed_forward_length", 1, kMaxFeedForward));
  // Old converters already left out the layers that are not needed: all that are stored run.
  ASSIGN_OR_RETURN(spec.num_hidden_layers, meta.Int("clip.vision.block_count", 1, kMaxLayers));
  ASSIGN_OR_RETURN(spec.num_attention_heads, meta.Int("clip.vision.attention.head_count", 1, kMaxHeads));
  ASSIGN_OR_RETURN(spec.layer_norm_eps, meta.PositiveOr("clip.vision.attention.layer_norm_epsilon", 1e-5));
  if (spec.hidden_size % spec.num_attention_heads != 0) {
    return DataLoss(StrCat(meta.what(), ": embedding_length ", spec.hidden_size, " is not a multiple of head_count ",
                           spec.num_attention_heads));
  }
  if (spec.patch_size > spec.image_size) {
    return DataLoss(
        StrCat(meta.what(), ": patch_size ", spec.patch_size, " is larger than image_size ", spec.image_size));
  }
  ASSIGN_OR_RETURN(const bool use_gelu, meta.BoolOr("clip.use_gelu", false));
  ASSIGN_OR_RETURN(const bool use_silu, meta.BoolOr("clip.use_silu", false));
  spec.hidden_act = use_silu ? Activation::kSilu : use_gelu ? Activation::kGeluTanh : Activation::kQuickGelu;
  spec.has_class_token = HasTensor(facts, "v.class_embd");
  spec.has_pre_layernorm = HasTensor(facts, "v.pre_ln.weight");
  spec.patch_bias = HasTensor(facts, "v.patch_embd.bias");
  spec.architecture = spec.has_class_token ? "clip" : "siglip";
  spec.select_feature = spec.has_class_token ? SelectFeature::kPatch : SelectFeature::kClsPatch;
  // fc1 is the matrix whose rows are as wide as the tower, whatever its name; old files call it ffn_down.
  ASSIGN_OR_RETURN(const int64_t down_width, Length(facts, "v.blk.0.ffn_down.weight", 2, 1, kMaxFeedForward));
  spec.swapped_ffn_names = down_width == spec.hidden_size;

  spec.num_layers_run = spec.num_hidden_layers;
  if (const Json* layers = meta.Find("clip.vision.feature_layer")) {
    if (!layers->is_array() || layers->size() != 1 || !(*layers)[0].is_number_integer()) {
      return Unimplemented(StrCat(meta.Name("clip.vision.feature_layer"), " does not name exactly one layer"));
    }
    const Config one(Json{{"feature_layer", (*layers)[0]}}, meta.what());
    ASSIGN_OR_RETURN(spec.num_layers_run, one.Int("feature_layer", 1, spec.num_hidden_layers));
  }
  return spec;
}

StatusOr<ProjectorSpec> ParseGgufProjector(const GgufFacts& facts, const Config& meta, int64_t mm_hidden_size,
                                           std::vector<std::string>& notes) {
  ASSIGN_OR_RETURN(const std::string old_key, meta.StringOr("clip.projector_type", "mlp"));
  ASSIGN_OR_RETURN(std::string stated, meta.StringOr("clip.vision.projector_type", old_key));
  if (stated == "peg") stated = "ldpv2";  // the name in a private fork that preceded llama.cpp's
  // Tensor names tell more than the metadata, which converters got wrong.
  ProjectorSpec spec;
  std::string found;
  if (HasTensor(facts, "mm.model.peg.0.weight")) {
    found = "ldpv2";
    spec.kind = LdpV2Projector{};
    ASSIGN_OR_RETURN(spec.hidden_size, Length(facts, "mm.model.peg.0.bias", 1, 0, kMaxWidth));
  } else if (HasTensor(facts, "mm.model.mb_block.1.block.0.0.weight")) {
    found = "ldp";
    ASSIGN_OR_RETURN(const int64_t squeeze, Length(facts, "mm.model.mb_block.1.block.1.fc1.bias", 1, 0, kMaxWidth));
    spec.kind = LdpProjector{.squeeze = squeeze};
    ASSIGN_OR_RETURN(spec.hidden_size, Length(facts, "mm.model.mb_block.2.block.2.1.bias", 1, 0, kMaxWidth));
  } else if (stated == "mlp" && HasTensor(facts, "mm.0.weight")) {
    found = "mlp";
    const bool two = HasTensor(facts, "mm.2.weight");
    spec.kind = MlpProjector{.depth = two ? 2 : 1};
    ASSIGN_OR_RETURN(spec.hidden_size, Length(facts, two ? "mm.2.bias" : "mm.0.bias", 1, 0, kMaxWidth));
  } else {
    return Unimplemented(StrCat(meta.what(), ": projector \"", Printable(stated),
                                "\" is not supported (mlp, ldp, ldpv2), or its tensors are missing"));
  }
  if (found != stated) {
    notes.push_back(
        StrCat(meta.what(), ": metadata say projector \"", Printable(stated), "\", the tensors are ", found));
  }
  spec.names = ProjectorNames::kMmproj;
  spec.prefix = "mm.";
  spec.mm_projector_type = found;
  spec.mm_hidden_size = mm_hidden_size;
  return spec;
}

StatusOr<PreprocessSpec> ParseGgufPreprocess(const Config& meta, const VisionSpec& vision) {
  // The keys of a preprocessor_config.json, where the shared parser reads them.
  Json processor = Json::object();
  for (const std::string_view key : {"image_mean", "image_std"}) {
    if (const Json* value = meta.Find(StrCat("clip.vision.", key))) processor[std::string(key)] = *value;
  }
  ASSIGN_OR_RETURN(const std::string mode, meta.StringOr("clip.vision.image_aspect_ratio", "pad"));
  return ParsePreprocess(Config(std::move(processor), meta.what()),
                         Config(Json{{"image_aspect_ratio", mode == "pad" ? "pad" : ""}}, meta.what()), vision,
                         ScalesSpec());
}

void ApplyCompat(const LlamaCppCompat& compat, ModelSpec& spec) {
  if (compat.drop_last_layer && spec.vision->num_layers_run > 0) {
    --spec.vision->num_layers_run;
    spec.notes.push_back("as llama.cpp: the last stored tower layer is not run");
  }
  if (compat.class_token_last && spec.vision->has_class_token) {
    spec.vision->class_token_last = true;
    spec.notes.push_back("as llama.cpp: the class token is appended to the patches");
  }
  if (compat.gelu_tanh) {
    spec.projector->gelu = Activation::kGeluTanh;
    spec.notes.push_back("as llama.cpp: GELU of the projector in tanh form");
  }
  if (compat.pad_bottom_right) {
    spec.preprocess.pad_bottom_right = true;
    spec.notes.push_back("as llama.cpp: pictures are padded at the bottom and the right");
  }
}

Status ParseMmproj(const GgufFacts& facts, const ParseOptions& options, ModelSpec& spec) {
  const Config meta = MetadataOf(facts);
  ASSIGN_OR_RETURN(const std::string arch, meta.String("general.architecture"));
  if (arch != "clip") {
    return InvalidArgument(
        StrCat(meta.Name("general.architecture"), " is \"", Printable(arch), "\", a mmproj file says clip"));
  }
  spec.mmproj = facts.path;
  ASSIGN_OR_RETURN(spec.vision, ParseGgufVision(facts, meta));
  ASSIGN_OR_RETURN(spec.projector, ParseGgufProjector(facts, meta, spec.vision->hidden_size, spec.notes));
  if (spec.projector->hidden_size != spec.language.hidden_size) {
    return DataLoss(StrCat(meta.what(), ": the projector's rows have ", spec.projector->hidden_size,
                           " channels, the language model ", spec.path.string(), " needs ", spec.language.hidden_size));
  }
  ASSIGN_OR_RETURN(spec.preprocess, ParseGgufPreprocess(meta, *spec.vision));
  RETURN_IF_ERROR(CheckGrid(spec, meta.what()));
  if (meta.Has("clip.vision.image_grid_pinpoints")) {
    spec.notes.push_back(StrCat(meta.what(), ": picture grids of LLaVA-1.6 are not used, a picture is one tile"));
  }
  ApplyCompat(options.llama_cpp, spec);
  spec.family = std::holds_alternative<MlpProjector>(spec.projector->kind) ? Family::kLlava : Family::kMobileVlm;
  return OkStatus();
}

}  // namespace

StatusOr<ModelSpec> ParseGguf(const GgufFacts& llm, const GgufFacts* mmproj, const ParseOptions& options) {
  const Config meta = MetadataOf(llm);
  ModelSpec spec;
  spec.layout = Layout::kGguf;
  spec.path = llm.path;
  ASSIGN_OR_RETURN(spec.language, ParseGgufLanguage(llm, meta));
  spec.tokenizer.kind = TokenizerKind::kGguf;
  spec.tokenizer.directory = llm.path;
  ASSIGN_OR_RETURN(const std::string tokenizer, meta.StringOr("tokenizer.ggml.model", ""));
  ASSIGN_OR_RETURN(spec.tokenizer.add_bos_token, meta.BoolOr("tokenizer.ggml.add_bos_token", tokenizer == "llama"));
  TokenizerFiles own;
  ASSIGN_OR_RETURN(own.chat_template, meta.StringOr("tokenizer.chat_template", ""));
  OwnTemplate(own, spec.prompt);
  if (mmproj != nullptr) {
    RETURN_IF_ERROR(ParseMmproj(*mmproj, options, spec));
    spec.prompt.era = Era::kA;
    if (spec.family == Family::kMobileVlm || spec.prompt.chat_template == Template::kNone) {
      // MobileVLM's files carry no template or a wrong one; LLaVA-1.5 was trained with the same.
      spec.prompt.chat_template = Template::kVicunaV1;
      spec.prompt.jinja.clear();
    }
  }
  OverrideTemplate(options, spec.prompt, spec.notes);
  if (spec.prompt.chat_template == Template::kJinja) spec.prompt.jinja = own.chat_template;
  return spec;
}

}  // namespace galago::spec
