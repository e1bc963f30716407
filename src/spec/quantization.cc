
#include "src/base/strings.h"
#include "src/spec/sections.h"

namespace galago::spec {
namespace {

constexpr int64_t kMaxGroup = kMaxFeedForward;

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Status CheckBits(const Config& config, std::string_view key) {
  ASSIGN_OR_RETURN(const int64_t bits, config.Int(key, 1, 64));
  if (bits != 4) return Unimplemented(StrCat(config.Name(key), " is ", bits, ", only 4-bit weights are supported"));
  return OkStatus();
}

// -1: one group a row.
Status ReadGroup(const Config& config, std::string_view key, QuantizationSpec& spec) {
  ASSIGN_OR_RETURN(spec.group_size, config.IntOr(key, 128, -1, kMaxGroup));
  if (spec.group_size == 0) return DataLoss(StrCat(config.Name(key), " is 0"));
  return OkStatus();
}

// casper-hansen/AutoAWQ: awq/models/_config.py. Keys of the file of its own differ from those in config.json.
StatusOr<QuantizationSpec> ParseAwq(const Config& config, std::string_view bits, std::string_view group) {
  QuantizationSpec spec;
  RETURN_IF_ERROR(CheckBits(config, bits));
  RETURN_IF_ERROR(ReadGroup(config, group, spec));
  ASSIGN_OR_RETURN(const bool zero_point, config.BoolOr("zero_point", true));
  ASSIGN_OR_RETURN(const std::string version, config.StringOr("version", "gemm"));
  const std::string name = Lower(version);
  if (name == "gemm") {
    spec.format = QuantizationFormat::kAwqGemm;
  } else if (name == "gemv") {
    spec.format = QuantizationFormat::kAwqGemv;
  } else if (name == "gemv_fast") {
    spec.format = QuantizationFormat::kAwqGemvFast;
  } else {
    return Unimplemented(StrCat(config.Name("version"), " \"", Printable(version),
                                "\" is not a layout we read (gemm, gemv, gemv_fast)"));
  }
  if (!zero_point) {
    return Unimplemented(StrCat(config.Name("zero_point"), " false: symmetric AWQ checkpoints are not supported"));
  }
  return spec;
}

// AutoGPTQ/AutoGPTQ: auto_gptq/quantization/config.py.
StatusOr<QuantizationSpec> ParseGptq(const Config& config) {
  QuantizationSpec spec;
  RETURN_IF_ERROR(CheckBits(config, "bits"));
  RETURN_IF_ERROR(ReadGroup(config, "group_size", spec));
  ASSIGN_OR_RETURN(const std::string format, config.StringOr("checkpoint_format", "gptq"));
  if (format != "gptq" && format != "gptq_v2") {
    return Unimplemented(StrCat(config.Name("checkpoint_format"), " \"", Printable(format),
                                "\" is not a layout we read (gptq, gptq_v2)"));
  }
  spec.format = format == "gptq" ? QuantizationFormat::kGptq : QuantizationFormat::kGptqV2;
  return spec;
}

StatusOr<QuantizationSpec> ParseStated(const Config& config) {
  ASSIGN_OR_RETURN(const std::string method, config.String("quant_method"));
  if (method == "awq") return ParseAwq(config, "bits", "group_size");
  if (method == "gptq") return ParseGptq(config);
  return Unimplemented(
      StrCat(config.Name("quant_method"), " \"", Printable(method), "\" is not a method we read (awq, gptq)"));
}

}  // namespace

std::string_view Name(QuantizationFormat format) {
  switch (format) {
    case QuantizationFormat::kAwqGemm:
      return "awq gemm";
    case QuantizationFormat::kAwqGemv:
      return "awq gemv";
    case QuantizationFormat::kAwqGemvFast:
      return "awq gemv_fast";
    case QuantizationFormat::kGptq:
      return "gptq";
    case QuantizationFormat::kGptqV2:
      return "gptq_v2";
    case QuantizationFormat::kLlmAwq:
      return "llm-awq v2";
  }
  return "";
}

StatusOr<std::optional<QuantizationSpec>> ParseQuantization(const FileSource& files, std::string_view folder,
                                                            const Config& config) {
  if (config.Has("quantization_config")) {
    ASSIGN_OR_RETURN(const Config stated, config.Sub("quantization_config"));
    return ParseStated(stated);
  }
  const auto in_folder = [&](std::string_view name) {
    return folder.empty() ? std::string(name) : StrCat(folder, "/", name);
  };
  if (const std::string name = in_folder("quant_config.json"); files.Exists(name)) {
    ASSIGN_OR_RETURN(const Config own, Config::Read(files, name));
    return ParseAwq(own, "w_bit", "q_group_size");
  }
  if (const std::string name = in_folder("quantize_config.json"); files.Exists(name)) {
    ASSIGN_OR_RETURN(const Config own, Config::Read(files, name));
    return ParseGptq(own);
  }
  return std::nullopt;
}

}  // namespace galago::spec
