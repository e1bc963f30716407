#include "train/loop/average.h"

#include <gmock/gmock.h>

#include "train/loop/testing/test_model.h"
#include "train/modules/torch.h"

namespace galago::train {
namespace {

using ::testing::HasSubstr;

TEST(MoveTowards, GoesAShareOfTheWay) {
  const std::unique_ptr<Vlm> model = MakeTestModel(17, 8, 1), other = MakeTestModel(17, 8, 2);
  std::vector<torch::Tensor> want;
  for (size_t i = 0; i < model->parameters().size(); ++i) {
    want.push_back(model->parameters()[i].value * 0.75 + other->parameters()[i].value * 0.25);
  }
  ASSERT_TRUE(MoveTowards(*model, *other, 0.25).ok());
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_TRUE(model->parameters()[i].value.allclose(want[i], 1e-6, 1e-7)) << model->parameters()[i].name;
  }
}

TEST(MoveTowards, OtherShapesAndNamesAreRefused) {
  const std::unique_ptr<Vlm> model = MakeTestModel(17, 8, 1), wide = MakeTestModel(17, 16, 1);
  const torch::Tensor before = model->parameters()[0].value.clone();
  EXPECT_THAT(MessageOf(MoveTowards(*model, *wide, 0.5)),
              HasSubstr("vision_tower/embed.weight is [17, 8] in one model and [17, 16] in the other"));
  EXPECT_TRUE(before.equal(model->parameters()[0].value));
  const std::unique_ptr<Vlm> renamed = MakeTestModel(17, 8, 1), fewer = MakeTestModel(17, 8, 1);
  renamed->parameters()[1].name = "vision_tower/scale.weight";
  EXPECT_THAT(MessageOf(MoveTowards(*model, *renamed, 0.5)),
              HasSubstr("where the second has vision_tower/scale.weight"));
  fewer->parameters().pop_back();
  EXPECT_THAT(MessageOf(MoveTowards(*model, *fewer, 0.5)), HasSubstr("5 and 4 tensors"));
}

}  // namespace
}  // namespace galago::train
