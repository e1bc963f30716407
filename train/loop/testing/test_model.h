#ifndef GALAGO_TRAIN_LOOP_TESTING_TEST_MODEL_H_
#define GALAGO_TRAIN_LOOP_TESTING_TEST_MODEL_H_

#include <memory>
#include <string>
#include <vector>

#include "train/loop/batch_stream.h"
#include "train/modules/vlm.h"

// For tests of the loop: a model of three parts that guesses each next token from the present one, and data for it.
namespace galago::train {

// Embedding ("vision"), a hidden layer ("projector"), an output layer ("language").
std::unique_ptr<Vlm> MakeTestModel(int64_t vocab, int64_t width, uint64_t seed);

// Sequences whose next token is (3 * token + 1) mod vocab; lengths and so label counts differ much. Micro-batch by
// micro-batch a function of its number, divided among ranks so that a step holds the same samples on any number.
std::unique_ptr<BatchStream> MakeTestStream(int64_t vocab, const StageConfig& stage, int64_t first_step, int rank,
                                            int num_ranks);

StageConfig TestStage(std::string name);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_TESTING_TEST_MODEL_H_
