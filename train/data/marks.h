#ifndef GALAGO_TRAIN_DATA_MARKS_H_
#define GALAGO_TRAIN_DATA_MARKS_H_

#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/text/prompt.h"
#include "train/data/record.h"

// The places of media in a record's text: "<image>" and "<video>".
namespace galago::train {

// The text without marks and without the white space they leave at its ends.
std::string WithoutMarks(std::string_view text);

// True if all marks of the text stand in front of its words, or if there are none.
bool MarksLead(std::string_view text);

// All media in front of the text, marks deleted (NVlabs/VILA: llava/data/dataset.py, LLaVADataset).
std::vector<text::Part> MediaInFront(const std::vector<Medium>& media, std::string_view text);

// Each mark replaced, in order, by the next medium (LLaVANextDataset). DataLoss unless there are as many marks as media
// left. `next` is the index of the next medium and is moved on.
StatusOr<std::vector<text::Part>> MediaInPlace(const std::vector<Medium>& media, std::string_view text, size_t& next);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_MARKS_H_
