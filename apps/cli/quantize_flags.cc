#include "apps/cli/quantize_flags.h"

#include <utility>

#include "apps/cli/values.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

using Setter = std::function<Status(Options&, const std::string&)>;

struct FormatName {
  const char* name;
  WeightFormat format;
};

Setter SetFormat(WeightFormat QuantizeOptions::*format, std::vector<FormatName> allowed) {
  return [=](Options& options, const std::string& text) -> Status {
    std::string known;
    for (const FormatName& candidate : allowed) {
      if (text == candidate.name) {
        options.quantize.work.*format = candidate.format;
        return OkStatus();
      }
      known += StrCat(known.empty() ? "" : ", ", candidate.name);
    }
    return InvalidArgument(StrCat("'", Printable(text), "' is none of ", known));
  };
}

Setter SetCount(int64_t QuantizeOptions::*count) {
  return [=](Options& options, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(options.quantize.work.*count, ParseInt(text, 1, int64_t{1} << 30));
    return OkStatus();
  };
}

Status SetMethod(Options& options, const std::string& text) {
  if (text != "awq" && text != "rtn") return InvalidArgument(StrCat("'", Printable(text), "' is none of awq, rtn"));
  options.quantize.work.method = text == "awq" ? QuantizeMethod::kAwq : QuantizeMethod::kRtn;
  return OkStatus();
}

Status AddCalibrationPath(Options& options, const std::string& text) {
  if (text.empty()) return InvalidArgument("a file or directory is needed");
  options.quantize.calibration.push_back(text);
  return OkStatus();
}

}  // namespace

std::vector<Flag> MakeQuantizeFlags() {
  CommandFlags add(Command::kQuantize);
  const FormatName w4 = {"w4", WeightFormat::kW4}, w6 = {"w6", WeightFormat::kW6}, w8 = {"w8", WeightFormat::kW8},
                   keep = {"bf16", WeightFormat::kBf16};
  add("Result", "--decoder", "FORMAT", "the decoder's weights: w4 (default), w6, w8, or bf16 to leave them as they are",
      SetFormat(&QuantizeOptions::decoder, {w4, w6, w8, keep}));
  add("Result", "--tower", "FORMAT", "the vision tower's: w8a8, or bf16 to leave them as they are (default)",
      SetFormat(&QuantizeOptions::tower, {{"w8a8", WeightFormat::kW8}, keep}));
  add("Result", "--head", "FORMAT", "the matrix behind the logits: bf16 to leave it as it is (default), w8, w6 or w4",
      SetFormat(&QuantizeOptions::head, {keep, w8, w6, w4}));
  add("Result", "--group", "N", "4-bit weights that share a scale: 128 (default), 64 or 32",
      SetCount(&QuantizeOptions::group));
  add("Result", "--method", "NAME", "awq (default), or rtn: to the nearest, without calibration", SetMethod);
  Flag& calibration = add("Calibration", "--calib", "PATH",
                          "text file, directory of them, LLaVA .json or World directory; repeat", AddCalibrationPath);
  calibration.list = "calib";
  calibration.clear = [](Options& options) { options.quantize.calibration.clear(); };
  add("Calibration", "--calib-tokens", "N", "at most so many tokens (default 16384)",
      SetCount(&QuantizeOptions::calibration_tokens));
  add("Calibration", "--loss-tokens", "N", "candidates are compared on about so many of them (default 1024)",
      SetCount(&QuantizeOptions::loss_tokens));
  add("Calibration", "--smoothing", "A", "of the tower, 0 to 1: what moves from activations to weights (default 0.3)",
      [](Options& options, const std::string& text) -> Status {
        ASSIGN_OR_RETURN(options.quantize.work.smoothing, ParseNumber(text, 0, 1));
        return OkStatus();
      });
  add("Calibration", "--search", "DIR", "keep what the search finds here and use what is there; else OUTPUT.search",
      [](Options& options, const std::string& text) -> Status {
        if (text.empty()) return InvalidArgument("a directory is needed");
        options.quantize.work.search = text;
        return OkStatus();
      });
  return add.Take();
}

}  // namespace galago::cli
