#include <cstdio>
#include <functional>

#include "src/spec/parse.h"
#include "train/cli/commands.h"
#include "train/cli/flags.h"
#include "train/cli/session.h"
#include "train/loop/adapter.h"
#include "train/loop/average.h"
#include "train/loop/guard.h"

// Commands that make a model of another one and a second folder, without training.
namespace galago::train {
namespace {

// `usage` is that of NAME MODEL SECOND OUT; `change` takes the loaded model and SECOND. What is written has MODEL's
// configuration.
int Derive(Args args, Usage usage, const std::function<Status(Vlm&, const std::string&)>& change) {
  std::string precision = "bf16";
  usage.flags.push_back(Text("--precision", "P", precision, "of the weights written: bf16 or f32 (default: bf16)"));
  const Arguments arguments = ParseOrExplain(usage, args);
  if (arguments.exit) return *arguments.exit;
  if (arguments.rest.size() != 3) return Fail(InvalidArgument(StrCat("three folders are needed: ", usage.synopsis)));
  if (const Status known = OneOf("--precision", precision, {"bf16", "f32"}); !known.ok()) return Fail(known);
  const Status derived = Guarded("making the model", [&]() -> Status {
    ASSIGN_OR_RETURN(const spec::ModelSpec spec, spec::ParseDirectory(arguments.rest[0]));
    ASSIGN_OR_RETURN(const std::unique_ptr<Vlm> model, Vlm::Load(spec));
    RETURN_IF_ERROR(change(*model, arguments.rest[1]));
    return Export(*model, arguments.rest[0], arguments.rest[2],
                  precision == "f32" ? Precision::kF32 : Precision::kBf16);
  });
  if (!derived.ok()) return Fail(derived, ModelExit(derived));
  std::printf("%s\n", arguments.rest[2].c_str());
  return 0;
}

}  // namespace

int MergeCommand(Args args) {
  const Usage usage = {"galago-train merge MODEL ADAPTER OUT [options]",
                       "Adds an adapter to the weights of its model and writes the sum as a model.",
                       {}};
  return Derive(args, usage, [](Vlm& model, const std::string& adapter) -> Status {
    RETURN_IF_ERROR(LoadAdapter(model, adapter));
    model.MergeLora();
    return OkStatus();
  });
}

int AverageCommand(Args args) {
  double share = 0.5;
  const Usage usage = {
      "galago-train average MODEL OTHER OUT [options]",
      "Writes the model whose weights lie between those of two that were trained from the same one; everything but the "
      "weights is MODEL's.",
      {Number("--share", "S", share, 0.0, 1.0, "of the way from MODEL to OTHER (default: 0.5, the mean)")}};
  return Derive(args, usage, [&](Vlm& model, const std::string& folder) -> Status {
    ASSIGN_OR_RETURN(const spec::ModelSpec spec, spec::ParseDirectory(folder));
    ASSIGN_OR_RETURN(const std::unique_ptr<Vlm> other, Vlm::Load(spec));
    return MoveTowards(model, *other, share);
  });
}

}  // namespace galago::train
