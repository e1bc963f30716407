#include "train/loop/average.h"

#include "src/base/strings.h"
#include "train/modules/torch.h"

namespace galago::train {

Status MoveTowards(Vlm& model, Vlm& other, double share) {
  std::vector<Parameter>& mine = model.parameters();
  std::vector<Parameter>& theirs = other.parameters();
  if (mine.size() != theirs.size()) {
    return InvalidArgument(StrCat("the models have ", mine.size(), " and ", theirs.size(), " tensors"));
  }
  for (size_t i = 0; i < mine.size(); ++i) {
    if (mine[i].name != theirs[i].name) {
      return InvalidArgument(StrCat("the first model has ", mine[i].name, " where the second has ", theirs[i].name));
    }
    if (mine[i].value.sizes() != theirs[i].value.sizes()) {
      return InvalidArgument(StrCat(mine[i].name, " is ", ShapeText(mine[i].value.sizes().vec()), " in one model and ",
                                    ShapeText(theirs[i].value.sizes().vec()), " in the other"));
    }
  }
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < mine.size(); ++i) mine[i].value.lerp_(theirs[i].value, share);
  model.WeightsChanged();
  return OkStatus();
}

}  // namespace galago::train
