#include "train/loop/run.h"

#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago::train {
namespace {

namespace fs = std::filesystem;

fs::path StageFolder(const fs::path& out, const Recipe& recipe, int64_t stage) {
  return out / StrCat("stage-", stage + 1, "-", recipe.stages[static_cast<size_t>(stage)].name);
}

Status CheckWorldSize(const Recipe& recipe, int size) {
  for (const StageConfig& stage : recipe.stages) {
    if (stage.global_batch % (stage.micro_batch * size) != 0) {
      return InvalidArgument(StrCat("stage ", stage.name, ": global_batch ", stage.global_batch,
                                    " is no multiple of micro_batch ", stage.micro_batch, " x ", size, " ranks"));
    }
  }
  return OkStatus();
}

// The checkpoint must be of this recipe.
Status CheckFits(const FoundCheckpoint& found, const Recipe& recipe) {
  const LoopState& state = found.state;
  const auto num_stages = static_cast<int64_t>(recipe.stages.size());
  if (state.stage > num_stages) {
    return FailedPrecondition(StrCat(found.path.string(), ": stands at stage ", state.stage + 1, ", the recipe has ",
                                     num_stages, "; use another --out"));
  }
  if (state.stage < num_stages && recipe.stages[static_cast<size_t>(state.stage)].name != state.stage_name) {
    return FailedPrecondition(StrCat(found.path.string(), ": stands at stage ", state.stage + 1, " called ",
                                     state.stage_name, ", the recipe calls it ",
                                     recipe.stages[static_cast<size_t>(state.stage)].name, "; use another --out"));
  }
  if (state.seed != recipe.seed) {
    return FailedPrecondition(StrCat(found.path.string(), ": was begun with seed ", state.seed, ", the recipe says ",
                                     recipe.seed, "; use another --out"));
  }
  return OkStatus();
}

// All ranks go on with what rank 0 found to be true.
Status Agree(Ranks& ranks, Status own) {
  int64_t failures[] = {own.ok() ? 0 : 1};
  RETURN_IF_ERROR(ranks.AllReduceSum(std::span<int64_t>(failures)));
  if (own.ok() && failures[0] > 0) return Unavailable("another rank failed: see its message");
  return own;
}

// All ranks go on from where rank 0 does: they may not see the same files.
Status CheckSamePlace(Ranks& ranks, const LoopState& state) {
  struct Place {
    int64_t stage, step;
  } first = {state.stage, state.step};
  RETURN_IF_ERROR(ranks.Broadcast(std::as_writable_bytes(std::span(&first, 1))));
  if (first.stage == state.stage && first.step == state.step) return OkStatus();
  return FailedPrecondition(StrCat("goes on from stage ", state.stage + 1, " step ", state.step, ", rank 0 from stage ",
                                   first.stage + 1, " step ", first.step,
                                   ": the run's folder must be the same for all ranks"));
}

class Runner {
 public:
  Runner(const Recipe& recipe, const RunPlace& place, RunParts& parts, Surroundings& around)
      : recipe_(recipe),
        place_(place),
        parts_(parts),
        around_(around),
        checkpoints_(place.out, recipe.keep, around.ranks) {}

  StatusOr<RunEnd> Go() {
    RETURN_IF_ERROR(CheckWorldSize(recipe_, around_.ranks.size()));
    RETURN_IF_ERROR(Agree(around_.ranks, MakeOut()));
    StatusOr<std::optional<FoundCheckpoint>> restored = Restore();
    RETURN_IF_ERROR(Agree(around_.ranks, restored.status()));
    RETURN_IF_ERROR(Agree(around_.ranks, CheckSamePlace(around_.ranks, state_)));
    std::optional<FoundCheckpoint> resume = *std::move(restored);
    const auto num_stages = static_cast<int64_t>(recipe_.stages.size());
    if (state_.stage == num_stages) return RunEnd::kAlreadyFinished;
    const int64_t end = place_.last_stage > 0 ? std::min(place_.last_stage, num_stages) : num_stages;
    if (state_.stage >= end) return RunEnd::kAlreadyFinished;
    RETURN_IF_ERROR(Agree(around_.ranks, RecordRecipe()));
    RETURN_IF_ERROR(Agree(around_.ranks, CheckRecipeIsHere()));
    while (state_.stage < end) {
      const bool within = resume && resume->state.step > 0;
      ASSIGN_OR_RETURN(const Stopped stopped, TrainStage(within ? &*resume : nullptr));
      resume.reset();
      if (stopped == Stopped::kInterrupt) return RunEnd::kInterrupted;
      if (stopped == Stopped::kTerminate) return RunEnd::kTerminated;
      if (stopped == Stopped::kTimeLimit) return RunEnd::kTimeLimit;
    }
    return RunEnd::kFinished;
  }

 private:
  bool leads() const { return around_.ranks.rank() == 0; }
  void Say(const std::string& message) const {
    if (leads() && around_.on_message) around_.on_message(message);
  }

  // Of this rank's own records: each has read others.
  void SaySummary(const std::string& stage, const std::string& summary) const {
    if (summary.empty() || !around_.on_message) return;
    const std::string who = around_.ranks.size() > 1 ? StrCat(" (rank ", around_.ranks.rank(), ")") : "";
    around_.on_message(StrCat("stage ", stage, who, ": ", summary));
  }

  Status MakeOut() const {
    if (!leads()) return OkStatus();
    std::error_code error;
    fs::create_directories(place_.out, error);
    if (error) return Unavailable(StrCat(place_.out.string(), ": cannot be made: ", error.message()));
    return OkStatus();
  }

  // recipe.toml is what is trained from here on. A recipe may change under a run (more steps, another rate); what the
  // run began with stays beside it.
  Status RecordRecipe() const {
    if (!leads()) return OkStatus();
    const fs::path record = place_.out / "recipe.toml";
    std::error_code error;
    if (!fs::exists(record, error)) return WriteFileAtomically(record, recipe_.text);
    ASSIGN_OR_RETURN(const std::string before, ReadFile(record, size_t{1} << 24));
    if (before == recipe_.text) return OkStatus();
    fs::path kept;
    for (int i = 1; kept.empty() || fs::exists(kept, error); ++i) kept = place_.out / StrCat("recipe-", i, ".toml");
    RETURN_IF_ERROR(WriteFileAtomically(kept, before));
    RETURN_IF_ERROR(WriteFileAtomically(record, recipe_.text));
    Say(StrCat("the recipe is not the one this run has had until now: that is kept as ", kept.filename().string()));
    return OkStatus();
  }

  // What rank 0 has just written all must see: a run that begins in folders that differ would end at its first save. (A
  // folder with a recipe of its own passes here and ends there.)
  Status CheckRecipeIsHere() const {
    std::error_code error;
    if (fs::exists(place_.out / "recipe.toml", error)) return OkStatus();
    return FailedPrecondition(StrCat(place_.out.string(),
                                     ": has not the recipe.toml that rank 0 has written: the run's ",
                                     "folder must be the same for all ranks"));
  }

  StatusOr<std::optional<FoundCheckpoint>> Restore() {
    std::vector<std::string> passed_over;
    ASSIGN_OR_RETURN(std::optional<FoundCheckpoint> found, checkpoints_.FindNewest(passed_over));
    for (const std::string& why : passed_over) Say(why);
    state_.seed = recipe_.seed;
    state_.stage_name = recipe_.stages.front().name;
    if (!found) {
      if (!passed_over.empty()) {
        return DataLoss(
            StrCat(place_.out.string(), ": there are checkpoints and none is complete; remove them to begin again"));
      }
      return found;
    }
    RETURN_IF_ERROR(CheckFits(*found, recipe_));
    if (found->state.stage == static_cast<int64_t>(recipe_.stages.size())) {
      state_ = found->state;  // nothing is left to train: the model is not needed
      return found;
    }
    RETURN_IF_ERROR(checkpoints_.LoadModel(*found, ValuesOf(parts_.model.parameters())));
    parts_.model.WeightsChanged();
    state_ = found->state;
    Say(StrCat("going on from ", found->path.filename().string(), ": stage ", state_.stage + 1, " ", state_.stage_name,
               ", step ", state_.step));
    return found;
  }

  StatusOr<Stopped> TrainStage(const FoundCheckpoint* resume_from) {
    const StageConfig& stage = recipe_.stages[static_cast<size_t>(state_.stage)];
    ASSIGN_OR_RETURN(const std::unique_ptr<BatchStream> stream, parts_.make_stream(stage, state_.step));
    const int64_t num_steps = NumSteps(stage, stream->steps_per_epoch());
    if (num_steps < 1) return InvalidArgument(StrCat("stage ", stage.name, ": its data make no whole step"));
    Say(StrCat("stage ", state_.stage + 1, " of ", recipe_.stages.size(), ", ", stage.name, ": ", num_steps,
               " steps of ", stage.global_batch, " samples"));
    StageLoop loop(parts_.model, stage, parts_.tokens, around_);
    ASSIGN_OR_RETURN(const Stopped stopped, loop.Run(*stream, num_steps, checkpoints_, resume_from, state_));
    SaySummary(stage.name, stream->Summary());
    if (stopped != Stopped::kNo) {
      Say(StrCat("stopped at stage ", state_.stage + 1, " ", stage.name, ", step ", state_.step,
                 "; the same command goes on from there"));
      return stopped;
    }
    RETURN_IF_ERROR(EndStage());
    return Stopped::kNo;
  }

  // The export comes first: the mark that the stage is done is the checkpoint that stands at the next one.
  Status EndStage() {
    const fs::path folder = StageFolder(place_.out, recipe_, state_.stage);
    const bool last = state_.stage + 1 == static_cast<int64_t>(recipe_.stages.size());
    Status status = OkStatus();
    if (leads()) {
      std::error_code error;
      status = parts_.export_model(parts_.model, folder);
      if (status.ok() && last) {
        const fs::path link = place_.out / "model";
        fs::remove(link, error);
        fs::create_directory_symlink(folder.filename(), link, error);
        if (error) status = Unavailable(StrCat(link.string(), ": cannot be made: ", error.message()));
      }
    }
    if (const Status agreed = Agree(around_.ranks, status); !agreed.ok()) {
      // What the stage has learnt is kept where that can be done: the same command then goes on with the export.
      if (checkpoints_.Save(state_, ValuesOf(parts_.model.parameters()), nullptr).ok()) {
        Say(StrCat("stage ", state_.stage + 1, " is trained but not written; the same command goes on from there"));
      }
      return agreed;
    }
    ++state_.stage;
    state_.step = 0;
    state_.samples = 0;
    state_.stage_name = last ? "" : recipe_.stages[static_cast<size_t>(state_.stage)].name;
    RETURN_IF_ERROR(checkpoints_.Save(state_, ValuesOf(parts_.model.parameters()), nullptr));
    Say(StrCat("stage ", state_.stage, " is done: ", folder.string()));
    return OkStatus();
  }

  const Recipe& recipe_;
  const RunPlace& place_;
  RunParts& parts_;
  Surroundings& around_;
  Checkpoints checkpoints_;
  LoopState state_;
};

}  // namespace

StatusOr<RunEnd> Run(const Recipe& recipe, const RunPlace& place, RunParts& parts, Surroundings& around) {
  return Runner(recipe, place, parts, around).Go();
}

StatusOr<LoopState> ExportCheckpoint(const Recipe& recipe, const fs::path& out, RunParts& parts, Ranks& ranks,
                                     const fs::path& to) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(to, error)) && !(fs::is_directory(to, error) && fs::is_empty(to, error))) {
    return InvalidArgument(StrCat(to.string(), ": is there already; a model is written to a new folder"));
  }
  const Checkpoints checkpoints(out, recipe.keep, ranks);
  std::vector<std::string> passed_over;
  ASSIGN_OR_RETURN(const std::optional<FoundCheckpoint> found, checkpoints.FindNewest(passed_over));
  if (!found) {
    return NotFound(StrCat(out.string(), ": there is no complete checkpoint",
                           passed_over.empty() ? "" : "; " + passed_over.front()));
  }
  RETURN_IF_ERROR(CheckFits(*found, recipe));
  RETURN_IF_ERROR(checkpoints.LoadModel(*found, ValuesOf(parts.model.parameters())));
  parts.model.WeightsChanged();
  RETURN_IF_ERROR(parts.export_model(parts.model, to));
  return found->state;
}

}  // namespace galago::train
