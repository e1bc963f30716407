#ifndef GALAGO_TRAIN_WORLD_SAMPLE_H_
#define GALAGO_TRAIN_WORLD_SAMPLE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/base/byte_range.h"
#include "src/media/image.h"
#include "train/world/letter.h"

namespace galago::world {

enum class Split { kTrain, kHeldout };
std::string_view Name(Split split);  // "train", "heldout"

// How an answer is scored (docs/world.md): equal text, number within 5 %, ANLS, interval of time.
enum class Metric { kExact, kRelaxed, kAnls, kTime };
std::string_view Name(Metric metric);  // "exact", "relaxed", "anls", "time"

// A short video: frames of one size at a constant rate.
struct Clip {
  std::vector<media::Image> frames;
  double fps = 8.0;
  double duration_s() const { return static_cast<double>(frames.size()) / fps; }
};
using Medium = std::variant<media::Image, Clip>;

// One exchange. The first one carries the media: "<image>" or "<video>" marks the place of each, in order; a
// conversation without marks has its media in front of the first question. Times in answers are seconds in angle
// brackets with a decimal point: "<12.5>".
struct Exchange {
  std::string question;
  std::string answer;
  std::string kind;  // "count", "colour", "title", ...: lower-case, unique within the task
  Metric metric = Metric::kExact;
  // Of a text that also asks: the parts of `answer` that the picture decides, in order; training gives loss to them
  // alone. Empty: all of it.
  std::vector<ByteRange> told = {};
};

// What the sample is for: which published format it is written in, and which stage of training reads it.
enum class Form {
  kConversation,  // LLaVA conversation, media in front
  kInterleaved,   // LLaVA conversation whose first question has its media in place
  kCaption,       // a picture and a sentence; one exchange with an empty question
  kDocument,      // text with pictures between the sentences, no questions: one exchange with an empty question whose
                  // answer holds the "<image>" marks
  kText           // conversation without media
};

struct Sample {
  std::string task;  // name of the task that drew it
  Form form = Form::kConversation;
  std::vector<Medium> media;
  std::vector<Exchange> exchanges;  // at least one
  // Of the task "cells": every letter in its picture.
  std::vector<Letter> letters = {};
};

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_SAMPLE_H_
